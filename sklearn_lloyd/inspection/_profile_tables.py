"""Profiles as text with marks and as a page: the numbers, names and colours of the pictures."""

from __future__ import annotations

import re
from html import escape

import numpy as np

from sklearn_lloyd.inspection._drawing import look_of
from sklearn_lloyd.inspection._names import STANDS_OUT
from sklearn_lloyd.inspection._terms import excerpt, said_of_rows_without

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


def counts_of(profiles):
    terms, n_clusters = profiles.terms, len(profiles.clusters)
    counted = f"{len(profiles.features)} features" if terms is None else f"{terms.n_terms:,} terms"
    return f"{n_clusters} clusters, {counted}"


def titles_of(profiles, with_shares=False):
    """Number, name and perhaps share of each cluster."""
    named = zip(profiles.clusters, profiles.names, profiles.shares, strict=True)
    return [f"{i}: {name}{f' ({share:.0%})' * with_shares}" for i, name, share in named]


def typical_of(profiles, i):
    """Lines on a cluster of texts, or of an embedding: what is typical, which is nearest."""
    if profiles.terms is None and not profiles.is_embedding:
        return
    rows = profiles.exemplars[i][profiles.exemplars[i] >= 0]
    if rows.size and profiles.examples.size:
        yield f'typical: "{excerpt(profiles.examples[i, 0])}"'
    elif rows.size:
        yield f"typical rows: {', '.join(map(str, rows))}"
    if profiles.nearest[i] >= 0:
        yield f"nearest: {profiles.clusters[profiles.nearest[i]]}"


def shown(profiles, i, j):
    """What pictures and reports show of a feature: the mean, in a cluster and in all rows.

    Where a few large values put the mean on the other side of `contrasts`, it is the median. Of a
    term it is the share of the texts that have it.

    Returns
    -------
    own, whole : str
    is_median : bool
    """
    if profiles.terms is not None:
        return f"{profiles.terms.text_shares[i, j]:.0%}", _whole(profiles, j), False
    if profiles.is_share[j]:
        return f"{profiles.means[i, j]:.0%}", _whole(profiles, j), False
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
    lines = [] if profiles.terms is None else said_of_rows_without(profiles.terms)
    return lines + _listed("values left out", counts) + _listed("left out", profiles.left_out)


def _listed(title, said):
    lines = [f"  {name}: {what}" for name, what in list(said.items())[:_MOST_LISTED]]
    more = [f"  and {len(said) - _MOST_LISTED} more"] * (len(said) > _MOST_LISTED)
    return [f"{title}:", *lines, *more] if said else []


def markdown(profiles, max_features):
    """A table with a row for each feature and a column for each cluster."""
    clusters, drawn = range(len(profiles.clusters)), _listed_features(profiles, max_features)
    rows = [
        ["", *titles_of(profiles), "all rows"],
        ["rows", *(_sizes(profiles, i) for i in clusters), short(profiles.sizes.sum())],
    ]
    for j in drawn:
        cells = [number_of(profiles, i, j) for i in clusters]
        rows.append([profiles.features[j], *cells, _whole(profiles, j)])
    rows = [[_in_markdown(str(cell)) for cell in row] for row in rows]
    for row, j in zip(rows[2:], drawn, strict=True):
        row[1:-1] = [
            f"**{cell}**" if _stands_out(profiles, i, j) else cell
            for i, cell in enumerate(row[1:-1])
        ]
    typical = [_in_markdown("; ".join(typical_of(profiles, i))) for i in clusters]
    rows += [["", *typical, ""]] * any(typical)
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    padded = (map(str.ljust, row, widths) for row in rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)


def page(profiles, title, max_features):
    return _PAGE.format(title=escape(title), body=fragment(profiles, max_features))


def fragment(profiles, max_features):
    """HTML with its own style, for a notebook or a part of a page."""
    key = "Orange bars: higher than all rows; violet: lower. Names go by the same measure."
    bold = "Bold: stands out. In brackets: medians."
    if profiles.terms is not None:
        key, bold = "Shares of the texts that have a term.", "Bold: the cluster's own terms."
    elif profiles.is_embedding:
        key = "Columns are coordinates that mean nothing by themselves."
    cards = "".join(_card(profiles, i) for i in range(len(profiles.clusters)))
    left_out = "<br>".join(escape(line) for line in notes(profiles))
    drawn, noun = _listed_features(profiles, max_features), ["features", "terms"]
    table = (
        f"<details><summary>{len(drawn)} {noun[profiles.terms is not None]} side by side"
        f'</summary><div class="wide">{_table(profiles, drawn)}</div>'
        f"<small>{bold}</small></details>"
    ) * (len(drawn) > 0)
    return (
        f'<div class="lloyd-profiles">{_STYLE}<p><strong>{counts_of(profiles)}</strong>. {key}</p>'
        f'<div class="cards">{cards}</div>{table}<p><small>{left_out}</small></p></div>'
    )


def _listed_features(profiles, max_features):
    """Places of the features in a table: of texts, terms of each cluster; of embeddings none."""
    if profiles.is_embedding:
        return np.arange(0)
    if profiles.terms is None:
        return most_telling(profiles, max_features)
    n_terms = max(1, max_features // len(profiles.clusters))
    own = [places[:n_terms] for places in profiles.terms.distinctive]
    first = np.concatenate(own)
    return first[np.sort(np.unique(first, return_index=True)[1])]


def _stands_out(profiles, i, j):
    if profiles.terms is not None:
        return j in profiles.distinctive[i][:N_SAID]
    return abs(profiles.contrasts[i, j]) >= STANDS_OUT


def _card(profiles, i):
    name = escape(titles_of(profiles)[i])
    width = 0.0 if np.isnan(profiles.shares[i]) else profiles.shares[i]
    lines = "".join(_line(profiles, i, j) for j in profiles.distinctive[i][:N_SAID])
    lines += "".join(f"<p><small>{escape(said)}</small></p>" for said in typical_of(profiles, i))
    return (
        f'<div class="card"><h3>{name}</h3><p>{escape(_sizes(profiles, i))}</p>'
        f'<div class="share" style="width:{width:.1%};'
        f'background:{look_of(i).color}"></div>'
        f"{lines or '<p>much like all rows</p>'}</div>"
    )


def _line(profiles, i, j):
    own, whole, is_median = shown(profiles, i, j)
    feature, contrast = escape(str(profiles.features[j])), profiles.contrasts[i, j]
    width = 50.0 * min(1.0, abs(contrast) / _FULL)
    start, colour = (50.0, f"rgb({_HIGH})") if contrast > 0.0 else (50.0 - width, f"rgb({_LOW})")
    if profiles.terms is not None:
        start, width, colour = 0.0, 100.0 * profiles.terms.text_shares[i, j], look_of(i).color
    return (
        f'<div class="line"><span>{feature}{", median" * is_median}</span>'
        f"<span><strong>{own}</strong> <small>(all rows: {whole})</small></span></div>"
        f'<div class="bar"><div style="margin-left:{start:.1f}%;width:{width:.1f}%;'
        f'background:{colour}"></div></div>'
    )


def _table(profiles, drawn):
    clusters = range(len(profiles.clusters))
    names = map(escape, titles_of(profiles))
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
    own = f"<strong>{own}</strong>" if _stands_out(profiles, i, j) else own
    return f'<td style="background:{colour}">{own}</td>'


def _sizes(profiles, i):
    return f"{short(profiles.sizes[i])} ({profiles.shares[i]:.1%})"


def number_of(profiles, i, j):
    own, _, is_median = shown(profiles, i, j)
    return f"({own})" if is_median else own


def _whole(profiles, j):
    if profiles.terms is not None:
        return f"{np.nan_to_num(profiles.shares) @ profiles.terms.text_shares[:, j]:.0%}"
    whole = profiles.whole_mean[j]
    return f"{whole:.0%}" if profiles.is_share[j] else short(whole)


def _in_markdown(text):
    """What ends a cell, marks text or begins a tag stands for itself."""
    text = re.sub(r"([\\`*\[\]|])", r"\\\1", text)
    return " ".join(text.replace("<", "&lt;").split())
