"""What `cluster_differences` returns."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class ClusterDifferences:
    """Which columns differ between clusters, from :func:`cluster_differences`.

    Attributes
    ----------
    columns : ndarray of shape (n_columns,), object
        Names of the columns.
    clustered_on : ndarray of shape (n_columns,), bool
        Whether the clusterer sees the column.
    measures : ndarray of shape (n_columns,), object
        What the effect is: "eta squared", "eta squared of ranks" or "Cramer's V".
    effects : ndarray of shape (n_columns,), float64
        How much of the column the clusters explain, from 0 to 1.
    expected : ndarray of shape (n_columns,), float64
        The mean effect in tables without groups; NaN for columns that the clusterer does not see.
    p_values : ndarray of shape (n_columns,), float64
        Of one column for itself.
    adjusted : ndarray of shape (n_columns,), float64
        Of all columns of the kind together: of those that the clusterer sees the chance that any
        of them is as far out in a table without groups; of others the false discovery rate.
    is_different : ndarray of shape (n_columns,), bool
        Whether `adjusted` is at most `alpha`.
    claims : ndarray of shape (n_columns,), object
        What may be said, in words.
    alpha : float
    library : {'pandas', 'polars', ''}
        Where X came from.
    """

    columns: np.ndarray
    clustered_on: np.ndarray
    measures: np.ndarray
    effects: np.ndarray
    expected: np.ndarray
    p_values: np.ndarray
    adjusted: np.ndarray
    is_different: np.ndarray
    claims: np.ndarray
    alpha: float
    library: str

    def to_frame(self):
        """One row for each column of the table.

        Returns
        -------
        frame : pandas or polars DataFrame, or dict of columns
            As X was a frame of either, else a dict. The columns are "columns", "clustered_on",
            "measures", "effects", "expected", "p_values", "adjusted" and "claims".
        """
        names = ("columns", "clustered_on", "measures", "effects", "expected", "p_values")
        found = {name: getattr(self, name).tolist() for name in (*names, "adjusted", "claims")}
        return import_module(self.library).DataFrame(found) if self.library else found

    def __repr__(self):
        lines = [f"{self.is_different.sum()} of {len(self.columns)} columns differ"]
        for seen, title in ((True, "clustered on"), (False, "not seen by the clusterer")):
            places = np.flatnonzero(self.clustered_on == seen)
            lines += [f"  {title}:"] * bool(places.size)
            for j in places[np.argsort(-self.effects[places], kind="stable")]:
                beside = f" ({self.expected[j]:.2f} without groups)" if seen else ""
                said = f"{self.measures[j]} {self.effects[j]:.2f}{beside}"
                lines.append(
                    f"    {self.columns[j]}: {said}, adjusted p {self.adjusted[j]:.2g}: "
                    f"{self.claims[j]}"
                )
        return "\n".join(lines)
