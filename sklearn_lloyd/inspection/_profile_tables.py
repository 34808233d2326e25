"""Profiles as text with marks and as a page: the numbers, names and colours of the pictures."""

from __future__ import annotations

import re
from html import escape

import numpy as np

from sklearn_lloyd.inspection._drawing import look_of
from sklearn_lloyd.inspection._names import STANDS_OUT

N_SAID = 5  # features of a cluster
_MOST_LISTED = 10  # columns in a report
_COLOURLESS = 0.1  # standard deviations: a smaller contrast is not seen
_FULL = 2.0  # standard deviations, where bars and colours end
# Those of ProfileDisplay; half transparent, so that text on them is readable on white and black.
_HIGH, _LOW = "224,130,20", "128,115,172"

_STYLE = """<style>
.lloyd-profiles{line-height:1.4;max-width:75em}
.lloyd-profiles .cards{display:grid;gap:.8em;\
grid-template-columns:repeat(auto-fit,minmax(min(18em,100%),1fr))}
.lloyd-profiles .card{border:1px solid rgba(128,128,128,.5);border-radius:.4em;padding:.6em .8em}
.lloyd-profiles h3{font-size:1.05em;margin:0;overflow-wrap:anywhere}
.lloyd-profiles p{margin:.1em 0 .5em}
.lloyd-profiles .share{height:.35em;margin-bottom:.5em}
.lloyd-profiles .line{display:flex;flex-wrap:wrap;justify-content:space-between;column-gap:.8em}
.lloyd-profiles .line span{overflow-wrap:anywhere}
.lloyd-profiles .bar{display:flex;height:.45em;margin:0 0 .5em;background:rgba(128,128,128,.15)}
.lloyd-profiles .bar div{height:100%}
.lloyd-profiles .wide{overflow-x:auto;max-width:100%}
.lloyd-profiles table{border-collapse:collapse;margin:.5em 0}
.lloyd-profiles th,.lloyd-profiles td{padding:.2em .6em;text-align:right;min-width:5em;\
border-bottom:1px solid rgba(128,128,128,.3)}
.lloyd-profiles th{overflow-wrap:anywhere;vertical-align:bottom}
.lloyd-profiles th:first-child{text-align:left;min-width:7em;max-width:16em}
.lloyd-profiles details{margin-top:.8em}
</style>"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>:root{{color-scheme:light dark}}
body{{font-family:system-ui,sans-serif;margin:0 auto;max-width:75em;padding:1em}}</style>
</head><body><h1>{title}</h1>
{body}
</body></html>
"""


def shown(profiles, i, j):
    """What pictures and reports show of a feature: the mean, in a cluster and in all rows.

    Where a few large values put the mean on the other side of `contrasts`, it is the median.

    Returns
    -------
    own, whole : str
    is_median : bool
    """
    if profiles.is_share[j]:
        return f"{profiles.means[i, j]:.0%}", f"{profiles.whole_mean[j]:.0%}", False
    contrast = profiles.contrasts[i, j]
    is_median = bool(profiles.differences[i, j] * contrast < 0.0 and abs(contrast) >= _COLOURLESS)
    own, whole = profiles.means, profiles.whole_mean
    if is_median:
        own, whole = profiles.medians, profiles.whole_median
    return short(own[i, j]), short(whole[j]), is_median


def short(number):
    return f"{number:,.0f}" if abs(number) >= 1000.0 else f"{number:.3g}"


def most_telling(profiles, max_features):
    """Places of the features that tell the clusters apart most, in their order."""
    between = profiles.shares @ np.nan_to_num(profiles.contrasts) ** 2
    return np.sort(np.argsort(-between, kind="stable")[:max_features])


def notes(profiles):
    """Lines on what was left out."""
    columns = zip(
        profiles.features, profiles.missing, profiles.infinite, profiles.is_share, strict=True
    )
    counts = {}
    for name, n_missing, n_infinite, is_share in columns:
        found = [f"{n_missing} missing"] * bool(n_missing)
        found += [f"{n_infinite} infinite"] * bool(n_infinite)
        if found and not is_share:
            counts[name] = ", ".join(found)
    return _listed("values left out", counts) + _listed("left out", profiles.left_out)


def _listed(title, said):
    lines = [f"  {name}: {what}" for name, what in list(said.items())[:_MOST_LISTED]]
    more = [f"  and {len(said) - _MOST_LISTED} more"] * (len(said) > _MOST_LISTED)
    return [f"{title}:", *lines, *more] if said else []


def markdown(profiles, max_features):
    """A table with a row for each feature and a column for each cluster."""
    clusters = range(len(profiles.clusters))
    rows = [
        ["", *(f"{profiles.clusters[i]}: {profiles.names[i]}" for i in clusters), "all rows"],
        ["rows", *(_sizes(profiles, i) for i in clusters), short(profiles.sizes.sum())],
    ]
    for j in most_telling(profiles, max_features):
        cells = [number_of(profiles, i, j) for i in clusters]
        rows.append([profiles.features[j], *cells, _whole(profiles, j)])
    rows = [[_in_markdown(str(cell)) for cell in row] for row in rows]
    for row, j in zip(rows[2:], most_telling(profiles, max_features), strict=True):
        row[1:-1] = [
            f"**{cell}**" if abs(profiles.contrasts[i, j]) >= STANDS_OUT else cell
            for i, cell in enumerate(row[1:-1])
        ]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    padded = (map(str.ljust, row, widths) for row in rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)


def page(profiles, title, max_features):
    return _PAGE.format(title=escape(title), body=fragment(profiles, max_features))


def fragment(profiles, max_features):
    """HTML with its own style, for a notebook or a part of a page."""
    k = len(profiles.clusters)
    said = f"{k} clusters, {len(profiles.features)} features"
    key = "Orange bars: higher than all rows; violet: lower. Names go by the same measure."
    cards = "".join(_card(profiles, i) for i in range(k))
    left_out = "<br>".join(escape(line) for line in notes(profiles))
    drawn = most_telling(profiles, max_features)
    return (
        f'<div class="lloyd-profiles">{_STYLE}<p><strong>{said}</strong>. {key}</p>'
        f'<div class="cards">{cards}</div><details><summary>{len(drawn)} features side by side'
        f'</summary><div class="wide">{_table(profiles, drawn)}</div>'
        "<small>Bold: stands out. In brackets: medians.</small></details>"
        f"<p><small>{left_out}</small></p></div>"
    )


def _card(profiles, i):
    name = escape(f"{profiles.clusters[i]}: {profiles.names[i]}")
    width = 0.0 if np.isnan(profiles.shares[i]) else profiles.shares[i]
    lines = "".join(_line(profiles, i, j) for j in profiles.distinctive[i][:N_SAID])
    return (
        f'<div class="card"><h3>{name}</h3><p>{escape(_sizes(profiles, i))}</p>'
        f'<div class="share" style="width:{width:.1%};'
        f'background:{look_of(i).color}"></div>'
        f"{lines or '<p>much like all rows</p>'}</div>"
    )


def _line(profiles, i, j):
    own, whole, is_median = shown(profiles, i, j)
    feature, contrast = escape(str(profiles.features[j])), profiles.contrasts[i, j]
    half = 50.0 * min(1.0, abs(contrast) / _FULL)
    start, colour = (50.0, _HIGH) if contrast > 0.0 else (50.0 - half, _LOW)
    return (
        f'<div class="line"><span>{feature}{", median" * is_median}</span>'
        f"<span><strong>{own}</strong> <small>(all rows: {whole})</small></span></div>"
        f'<div class="bar"><div style="margin-left:{start:.1f}%;width:{half:.1f}%;'
        f'background:rgb({colour})"></div></div>'
    )


def _table(profiles, drawn):
    clusters = range(len(profiles.clusters))
    names = [escape(f"{profiles.clusters[i]}: {profiles.names[i]}") for i in clusters]
    head = "".join(f"<th>{name}</th>" for name in ["feature", *names, "all rows"])
    rows = [
        f"<tr><th>{escape(str(profiles.features[j]))}</th>"
        + "".join(_cell(profiles, i, j) for i in clusters)
        + f"<td>{_whole(profiles, j)}</td></tr>"
        for j in drawn
    ]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cell(profiles, i, j):
    contrast = profiles.contrasts[i, j]
    own = number_of(profiles, i, j)
    if not abs(contrast) >= _COLOURLESS:  # NaN is no colour either
        return f"<td>{own}</td>"
    strength = 0.6 * min(1.0, abs(contrast) / _FULL)
    colour = f"rgba({_HIGH if contrast > 0.0 else _LOW},{strength:.2f})"
    own = f"<strong>{own}</strong>" if abs(contrast) >= STANDS_OUT else own
    return f'<td style="background:{colour}">{own}</td>'


def _sizes(profiles, i):
    return f"{short(profiles.sizes[i])} ({profiles.shares[i]:.1%})"


def number_of(profiles, i, j):
    own, _, is_median = shown(profiles, i, j)
    return f"({own})" if is_median else own


def _whole(profiles, j):
    whole = profiles.whole_mean[j]
    return f"{whole:.0%}" if profiles.is_share[j] else short(whole)


def _in_markdown(text):
    """What ends a cell, marks text or begins a tag stands for itself."""
    text = re.sub(r"([\\`*\[\]|])", r"\\\1", text)
    return " ".join(text.replace("<", "&lt;").split())
