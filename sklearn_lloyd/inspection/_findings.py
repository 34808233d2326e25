"""What a diagnosis is made of, and how it reads."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

SEVERITIES = ("high", "medium", "low")  # the first ones come first
# Of text on white and on nearly black; the words say the same as the colours.
_COLOURS = {"high": "#d9480f", "medium": "#b08800", "low": "#5c7cfa"}
_WIDTH = 88


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or may be, with a clustering.

    Attributes
    ----------
    code : str
        Which check found it; stable from release to release.
    severity : {'high', 'medium', 'low'}
        'high': the clusters probably do not mean what they seem to. 'medium': they may be
        much better. 'low': worth knowing.
    evidence : dict
        The numbers behind it, and the names of features.
    meaning : str
        What it says of the clusters.
    advice : str
        What to do about it.

    Examples
    --------
    >>> from sklearn_lloyd.inspection import Finding
    >>> print(Finding("few-rows", "medium", {"n_rows": 20}, "Few rows.", "Get more."))
    few-rows (medium)
      Few rows.
      Evidence: n_rows = 20.
      Advice: Get more.
    """

    code: str
    severity: str
    evidence: dict = field(hash=False)
    meaning: str
    advice: str

    def __str__(self):
        numbers = ", ".join(f"{name} = {_text(value)}" for name, value in self.evidence.items())
        lines = [f"{self.code} ({self.severity})"]
        for part in (self.meaning, f"Evidence: {numbers}.", f"Advice: {self.advice}"):
            lines += textwrap.wrap(part, _WIDTH, initial_indent="  ", subsequent_indent="  ")
        return "\n".join(lines)


class Diagnosis(Sequence):
    """The findings of :func:`diagnose`, the most severe first; an immutable sequence.

    It prints as text and shows as HTML in notebooks.

    Parameters
    ----------
    findings : iterable of Finding
        In any order; equally severe ones stay in theirs.

    Attributes
    ----------
    codes : tuple of str
        The codes of the findings, in their order.

    Examples
    --------
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import diagnose
    >>> X = [[0.0, 7.0], [1.0, 7.0], [8.0, 7.0], [9.0, 7.0]]
    >>> diagnosis = diagnose(KMeans(n_clusters=2, random_state=0).fit(X), X)
    >>> diagnosis.codes
    ('dominant-feature', 'few-rows', 'constant-features')
    >>> [finding.code for finding in diagnosis if finding.severity == "low"]
    ['constant-features']
    """

    def __init__(self, findings):
        self._findings = tuple(sorted(findings, key=lambda f: SEVERITIES.index(f.severity)))

    @property
    def codes(self):
        return tuple(finding.code for finding in self)

    def __getitem__(self, index):
        found = self._findings[index]
        return Diagnosis(found) if isinstance(index, slice) else found

    def __len__(self):
        return len(self._findings)

    def __eq__(self, other):
        return isinstance(other, Diagnosis) and self._findings == other._findings

    def __hash__(self):
        return hash(self._findings)

    def __repr__(self):
        return "\n\n".join([f"Diagnosis: {self._summary()}", *map(str, self)])

    def _repr_html_(self):
        cards = "".join(map(_html, self))
        return (
            '<div style="max-width:50em;line-height:1.45">'
            f"<p><strong>Diagnosis: {escape(self._summary())}</strong></p>{cards}</div>"
        )

    def _summary(self):
        if not self:
            return "no findings"
        return f"{len(self)} finding{'s' if len(self) > 1 else ''}"


def _html(finding):
    # No background and no colour of the text: those of the notebook, light or dark, remain.
    colour = _COLOURS[finding.severity]
    rows = "".join(
        f'<tr><td style="text-align:left">{escape(str(name))}</td>'
        f'<td style="text-align:left">{escape(_text(value))}</td></tr>'
        for name, value in finding.evidence.items()
    )
    return (
        f'<div style="border-left:4px solid {colour};padding:0 0 0 .8em;margin:0 0 1em 0">'
        f"<strong>{escape(finding.code)}</strong> "
        f'<span style="color:{colour}">{escape(finding.severity)}</span><br>'
        f"{escape(finding.meaning)}<br><em>{escape(finding.advice)}</em>"
        f"<details><summary>Evidence</summary><table>{rows}</table></details></div>"
    )


def _text(value):
    """Numbers with four digits, lists of a few entries."""
    if isinstance(value, (list, tuple)):
        few = ", ".join(map(_text, value[:5]))
        return f"[{few}, ... {len(value)} in all]" if len(value) > 5 else f"[{few}]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
