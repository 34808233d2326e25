"use strict";
// The settings, the questions to the program, and what it answers beside the steps. The picture,
// its buttons and keys are in steps.js, as are `get`, `make`, `axes`, `write`, `load` and `draw`.
const numbers = ["n_rows", "n_clusters", "n_init", "seed"];
const choices = ["data", "scaling", "init"];
const made = ["blobs", "unequal_blobs", "moons", "anisotropic", "uniform"];
const panels = {silhouettes: drawSilhouettes, numbers: drawNumbers, findings: drawFindings};
let places = [], asked = 0, waiting = null, last = null, lastStart = null;

class Refused extends Error {}

function settings() {
  const own = Object.fromEntries(choices.map(name => [name, get(name).value]));
  for (const name of numbers) own[name] = get(name).valueAsNumber;
  own.places = own.init === "hand" ? places : [];
  return own;
}

function isByHand() { return get("init").value === "hand"; }

function isPlacing() { return isByHand() && places.length < get("n_clusters").valueAsNumber; }

// ---- questions

async function ask(path, question, body) {
  let answer;
  try {
    answer = await fetch(path, {method: "POST", body: body || JSON.stringify(question)});
  } catch (error) {
    get("lost").hidden = false;
    setTimeout(lookAgain, 1000);
    throw error;
  }
  if (!answer.ok) throw new Refused(`The program could not answer (${answer.status}). Its terminal says why.`);
  const said = await answer.json();
  if (said.error) throw new Refused(said.error);
  return said;
}

async function lookAgain() {
  if (get("lost").hidden) return;
  try {
    await fetch("/", {method: "HEAD"});
  } catch {
    setTimeout(lookAgain, 1000);
    return;
  }
  get("lost").hidden = true;
  run();
}

function refuse(error) {
  if (!(error instanceof Refused)) return;
  get("problem").textContent = error.message;
  get("problem").hidden = false;
}

function soon(milliseconds = 150) {
  clearTimeout(waiting);
  waiting = setTimeout(run, milliseconds);
}

async function run() {
  const own = ++asked, now = settings(), placing = isPlacing();
  document.body.classList.toggle("by-hand", isByHand());
  get("hand").hidden = !isByHand();
  get("of-rows").hidden = !made.includes(now.data);
  // Until all centres are placed, the rows are shown alone.
  const question = placing ? {...now, init: "k-means++", n_init: 1, places: []} : now;
  get("stage").setAttribute("aria-busy", true);
  try {
    const answer = await ask("/steps", question);
    if (own !== asked) return;
    get("problem").hidden = true;
    last = placing ? null : now;
    lastStart = null;
    remember(now);
    document.body.classList.toggle("placing", placing);
    get("stage").querySelector(".controls").inert = placing;
    if (placing) answer.starts = 1;
    load(answer, answer.kept);
    if (placing) film = film.slice(0, 1);
    get("about").textContent = answer.notes.join(" ");
    get("of-image").hidden = !answer.image || placing;
    showPlaced();
    follow();
  } catch (error) {
    if (own === asked) refuse(error);
  } finally {
    if (own === asked) get("stage").setAttribute("aria-busy", false);
  }
}

// The settings stand in the address, so that a reload keeps them.
function remember(now) {
  const kept = Object.entries(now).filter(([name]) => name !== "places");
  history.replaceState(null, "", "#" + new URLSearchParams(kept));
}

function recall() {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (choices.includes(name) && [...get(name).options].some(one => one.value === value)) get(name).value = value;
    if (numbers.includes(name) && /^\d+$/.test(value)) get(name).value = value;
  }
}

// ---- what follows the frame

function follow() {
  if (!data) return;
  if (last && data.image) paint();
  if (lastStart !== chosen) {
    tellCode();
    if (lastStart === null) answerPanel("numbers");  // of all starts
    answerPanel("findings");
    lastStart = chosen;
  }
  clearTimeout(follow.waiting);
  follow.waiting = setTimeout(() => answerPanel("silhouettes"), 120);
}

async function tellCode() {
  const box = get("code"), start = chosen;
  if (!last) box.textContent = "Place the first centres.";
  else if (start === data.kept) box.textContent = data.code;
  else {
    const {code} = await ask("/code", {...last, start}).catch(error => ({code: error.message}));
    if (start === chosen) box.textContent = code;
  }
}

async function answerPanel(name) {
  const panel = get(`of-${name}`), box = panel.querySelector(".answer");
  if (!panel.open) return;
  if (!last) return box.replaceChildren("Place the first centres.");
  const question = {...last, start: chosen, frame}, key = JSON.stringify(question);
  box.setAttribute("aria-busy", true);
  if (!box.childNodes.length) box.textContent = "Working …";
  box.dataset.asked = key;
  try {
    const answer = await ask(`/${name}`, question);
    if (box.dataset.asked !== key) return;
    box.replaceChildren();
    panels[name](box, answer);
  } catch (error) {
    if (box.dataset.asked === key && error instanceof Refused) box.textContent = error.message;
  } finally {
    if (box.dataset.asked === key) box.setAttribute("aria-busy", false);
  }
}

function add(parent, kind, text, attributes = {}) {
  const node = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return parent.appendChild(node);
}

function drawSilhouettes(box, {mean, clusters}) {
  add(box, "p", `Mean ${mean.toFixed(2)}. By cluster: `
    + clusters.map(each => `${each.cluster}: ${each.mean.toFixed(2)}`).join(", ") + ".");
  const svg = make(box, "svg", {role: "img", "aria-label": "Silhouette widths, cluster by cluster"});
  const total = clusters.reduce((sum, each) => sum + each.n_rows, 0), gap = total * .02;
  const least = Math.min(0, ...clusters.map(each => each.widths.at(-1)));
  const height = Math.max(220, 34 * clusters.length);
  const whole = total + gap * (clusters.length - 1);
  const {x, y, box: edge} = axes(svg, Math.min(768, box.clientWidth) - 2, height, [least, 1], [whole, 0],
    ["silhouette width", "rows, by cluster"], null, []);
  let from = 0;
  for (const {cluster, n_rows, widths} of clusters) {
    const at = i => y(from + n_rows * i / widths.length);
    const points = widths.flatMap((width, i) => [`${x(width)},${at(i)}`, `${x(width)},${at(i + 1)}`]);
    const color = data.colors[cluster];
    make(svg, "polygon", {class: "blade", fill: color, stroke: color,
      points: [`${x(0)},${at(0)}`, ...points, `${x(0)},${at(widths.length)}`].join(" ")});
    make(svg, "text", {x: edge.left - 8, y: y(from + n_rows / 2) + 4, "text-anchor": "end"}, cluster);
    from += n_rows + gap;
  }
  make(svg, "line", {x1: x(mean), x2: x(mean), y1: edge.top, y2: edge.bottom, stroke: "var(--ink)", "stroke-dasharray": "4 3"});
  make(svg, "text", {x: x(mean), y: 18, "text-anchor": "middle"}, `mean ${mean.toFixed(2)}`);
}

const criteria = {
  inertia: ["inertia J, elbow", "elbow"],
  separation: ["separation: groups of their own"],
  silhouette: ["silhouette: the largest"],
  calinski_harabasz: ["Calinski-Harabasz: the largest"],
  davies_bouldin: ["Davies-Bouldin: the least"],
  bic: ["BIC: the largest"],
};

function drawNumbers(box, {table, votes, summary}) {
  add(box, "pre", summary, {class: "text"});
  const charts = add(box, "div", undefined, {class: "charts"}), ks = table.n_clusters;
  for (const [name, [title, voter = name]] of Object.entries(criteria)) {
    if (!table[name]) continue;
    const figure = add(charts, "figure"), vote = votes[voter];
    add(figure, "figcaption", title + (vote === null ? " (no answer)" : ` (${vote})`));
    const svg = make(figure, "svg", {role: "img", "aria-label": `${title}, for each k; the table has the values`});
    const seen = table[name].map((value, i) => [ks[i], value]).filter(([, value]) => value !== null);
    if (!seen.length) { svg.remove(); add(figure, "p", "Not defined for these k."); continue; }
    const xs = [Math.min(...ks) - .5, Math.max(...ks) + .5];
    const {x, y, box: edge} = axes(svg, figure.clientWidth - 2, 190, xs, rangeOf(seen.map(([, value]) => value)), ["k", ""],
      ks.map(k => [k, String(k)]));
    make(svg, "polyline", {points: seen.map(([k, value]) => `${x(k)},${y(value)}`).join(" "), fill: "none",
      stroke: "var(--mark)", "stroke-width": 1.5});
    for (const [k, value] of seen) make(svg, "circle", {cx: x(k), cy: y(value), r: k === vote ? 6 : 3,
      fill: k === vote ? "var(--mark)" : "var(--paper)", stroke: "var(--mark)", "stroke-width": 1.5});
    make(svg, "line", {x1: x(last.n_clusters), x2: x(last.n_clusters), y1: edge.top, y2: edge.bottom,
      stroke: "var(--faint)", "stroke-dasharray": "2 3",
      visibility: ks.includes(last.n_clusters) ? "visible" : "hidden"});
  }
  const node = add(box, "table"), head = node.createTHead().insertRow(), names = ["n_clusters", ...Object.keys(criteria)];
  const there = names.filter(name => table[name]);
  for (const name of there) add(head, "th", name === "n_clusters" ? "k" : name.replaceAll("_", " "), {scope: "col"});
  const body = node.createTBody();
  ks.forEach((k, i) => {
    const row = body.insertRow();
    for (const name of there) {
      const value = table[name][i], isVote = votes[name === "inertia" ? "elbow" : name] === k;
      row.insertCell().textContent = (value === null ? "–" : write(value)) + (isVote && name !== "n_clusters" ? " ●" : "");
    }
    if (k === last.n_clusters) row.setAttribute("aria-current", "true");
  });
}

function drawFindings(box, {findings}) {
  if (!findings.length) add(box, "p", "No findings.");
  for (const {code, severity, meaning, advice} of findings) {
    const one = add(box, "div", undefined, {class: `finding ${severity}`});
    add(one, "strong", `${code} (${severity})`);
    add(one, "p", meaning);
    add(one, "p").append(add(one, "em", advice));
  }
}

// ---- the image

function paint() {
  const {width, pixels, centers} = data.image, height = Math.ceil(pixels.length / width);
  const labels = film[frame].labels, step = data.runs[chosen].centers.indexOf(film[frame].centers);
  const colors = labels && labels.map(label => centers[chosen][step][label]);
  for (const [id, values] of [["original", pixels], ["painted", colors]]) {
    const canvas = get(id);
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d"), image = context.createImageData(width, height);
    (values || []).forEach(([red, green, blue], i) => image.data.set([red, green, blue, 255], 4 * i));
    context.putImageData(image, 0, 0);
  }
}

// ---- first centres by hand

function showPlaced() {
  document.getElementById("placed")?.remove();
  if (!isByHand() || !drawn) return;
  const k = get("n_clusters").valueAsNumber, {main} = drawn;
  get("to-place").textContent = isPlacing()
    ? `Click in the picture to place centre ${places.length} of 0 to ${k - 1}, or give where:`
    : "A click moves the nearest first centre there; so does giving a place:";
  if (!isPlacing()) return;
  get("state").textContent = `${places.length} of ${k} first centres are placed.`;
  const group = make(rows, "g", {id: "placed"});
  places.forEach(([px, py], c) => {
    make(group, "circle", {class: "disk", cx: main.x(px), cy: main.y(py), r: 11, fill: "#222", stroke: "#fff", "stroke-width": 1.5});
    make(group, "text", {class: "number", x: main.x(px), y: main.y(py)}, c);
  });
}

function place(at) {
  if (isPlacing()) places.push(at);
  else {
    const apart = places.map(one => Math.hypot(one[0] - at[0], one[1] - at[1]));
    places[apart.indexOf(Math.min(...apart))] = at;
  }
  if (isPlacing()) showPlaced(); else run();
}

rows.addEventListener("click", event => {
  if (!isByHand() || !drawn) return;
  const {x, y} = new DOMPoint(event.clientX, event.clientY).matrixTransform(rows.getScreenCTM().inverse());
  const {left, right, top, bottom} = drawn.main.box, [[x0, x1], [y0, y1]] = [drawn.xs, drawn.ys];
  if (x < left || x > right || y < top || y > bottom) return;
  place([x0 + (x - left) / (right - left) * (x1 - x0), y0 + (bottom - y) / (bottom - top) * (y1 - y0)]);
});

get("place").onclick = () => {
  const at = [get("place-x").valueAsNumber, get("place-y").valueAsNumber];
  if (at.every(Number.isFinite)) place(at);
};
get("clear").onclick = () => { places = []; run(); };

// ---- settings

function changed(event) {
  const {id} = event.target;
  if (!choices.includes(id) && !numbers.includes(id)) return;
  if (["data", "scaling", "n_rows", "init"].includes(id)) places = [];
  if (id === "n_clusters") places = places.slice(0, event.target.valueAsNumber || 0);
  soon(event.target.matches("select") ? 0 : 250);
}
get("settings").addEventListener("input", changed);
get("settings").addEventListener("submit", event => { event.preventDefault(); soon(0); });
get("other").onclick = () => { get("seed").value = get("seed").valueAsNumber + 1 || 0; soon(0); };

get("file").onchange = async () => {
  const field = get("file"), file = field.files[0];
  if (!file) return;
  try {
    if (file.size > Number(field.dataset.mostBytes)) {
      throw new Refused(`${file.name} has more than ${(field.dataset.mostBytes / 2 ** 20).toLocaleString("en")} megabytes.`);
    }
    get("about").textContent = `Reading ${file.name} …`;
    const question = new URLSearchParams({name: file.name, numbers_only: get("numbers_only").checked});
    const {key, name} = await ask(`/upload?${question}`, null, file);
    get("own").append(new Option(name, key));
    get("data").value = key;
    places = [];
    await run();
  } catch (error) {
    get("about").textContent = "";
    refuse(error);
  }
  field.value = "";
};

get("copy").onclick = async () => {
  await navigator.clipboard.writeText(get("code").textContent);
  get("copied").textContent = "Copied.";
  setTimeout(() => { get("copied").textContent = ""; }, 2000);
};

for (const name of Object.keys(panels)) get(`of-${name}`).addEventListener("toggle", () => answerPanel(name));
new MutationObserver(follow).observe(document.body, {attributeFilter: ["data-frame"]});
window.addEventListener("resize", () => { showPlaced(); });
recall();
run();
