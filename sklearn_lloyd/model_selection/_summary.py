"""What a search over the number of clusters found, to read."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape

from sklearn_lloyd.model_selection._decision import SURE

_WIDTH = 88
_MOST_SHARES = 10
_STRUCTURES = {
    "none": "No groups that k-means can find, as the features are scaled.",
    "clusters": "There are groups: clusters with fewer rows between them than in them.",
    "unclear": "Whether there are groups is unclear.",
    "not tested": "Whether there are groups was not tested.",
}


@dataclass(frozen=True)
class NClustersSummary:
    """The number of clusters that a search chose, how sure that is, and what comes near it.

    From :meth:`NClustersSearch.summary`; it prints as text and shows as HTML in notebooks.

    Attributes
    ----------
    n_clusters : int
        The number chosen.
    confidence : float
        As `confidence_` of the search.
    structure : {'none', 'clusters', 'unclear', 'not tested'}
    candidates : list of dict
        As `candidates_` of the search.
    """

    n_clusters: int
    confidence: float
    structure: str
    candidates: list

    @property
    def headline(self):
        """One line: the number, and how sure it is."""
        return f"{self.n_clusters} cluster{'s' * (self.n_clusters != 1)}; {self.certainty}"

    @property
    def certainty(self):
        """How sure the number is, in words."""
        if self.confidence != self.confidence:
            return "how sure the number is, is not known"
        sure = "sure" if self.confidence >= SURE else "not sure"
        return f"the number is {sure}: in tests, {self.confidence:.0%} of such answers were right"

    @property
    def advice(self):
        """What to do next."""
        others = [str(each["n_clusters"]) for each in self.candidates[1:]]
        if self.confidence >= SURE:
            return ""
        if not others:
            return "Take the number whose clusters you can name and use."
        listed = " or ".join(others)
        return (
            f"The evidence is split: compare with {listed}, and take the number whose clusters "
            "you can name and use."
        )

    def __repr__(self):
        lines = [self.headline, _STRUCTURES[self.structure]]
        for each in self.candidates:
            lines.append(f"  {each['n_clusters']:>2}  {_shares(each)}")
            for sign, said in _signed(each):
                indents = {"initial_indent": f"      {sign} ", "subsequent_indent": " " * 8}
                lines += textwrap.wrap(said, _WIDTH, **indents)
        return "\n".join([*lines, *textwrap.wrap(self.advice, _WIDTH)])

    def _repr_html_(self):
        rows = "".join(map(_row, self.candidates))
        advice = f"<p>{escape(self.advice)}</p>" if self.advice else ""
        return (
            '<div style="max-width:60em;line-height:1.45">'
            f"<p><strong>{escape(self.headline)}</strong><br>"
            f"{escape(_STRUCTURES[self.structure])}</p>"
            '<table style="border-collapse:collapse"><thead><tr>'
            + "".join(f"<th{_CELL}>{title}</th>" for title in ("Clusters", "Shares", "Evidence"))
            + f"</tr></thead><tbody>{rows}</tbody></table>{advice}</div>"
        )


_CELL = ' style="text-align:left;vertical-align:top;padding:.2em .8em .4em 0"'


def _row(candidate):
    said = "<br>".join(f"{sign} {escape(what)}" for sign, what in _signed(candidate))
    cells = candidate["n_clusters"], escape(_shares(candidate)), said
    return f"<tr>{''.join(f'<td{_CELL}>{cell}</td>' for cell in cells)}</tr>"


def _signed(candidate):
    """What speaks for a candidate (+) and against it (-)."""
    yield from (("+", said) for said in candidate["supports"])
    yield from (("-", said) for said in candidate["objections"])


def _shares(candidate):
    shares = candidate["shares"]
    said = ", ".join(f"{share:.0%}" for share in shares[:_MOST_SHARES])
    return f"{said}, ..." if len(shares) > _MOST_SHARES else said
