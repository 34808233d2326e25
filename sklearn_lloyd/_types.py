"""The values that travel between the layers: what to solve, one step, the result.

Named tuples: a frozen dataclass takes six times as long to define, at every import. For the same
reason annotations are not postponed: `NamedTuple` would compile each of them from a string.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from sklearn_lloyd._canonical import CanonicalRows
    from sklearn_lloyd._rows import Rows


class Problem(NamedTuple):
    """A validated k-means problem. Nothing below `_validation` sees an estimator.

    Attributes
    ----------
    rows : Rows
        Never copied whole, never written to.
    n_clusters : int
    sample_weight : ndarray of shape (n_samples,), float64, or None
        None stands for one per row, without the array. The largest is from 1 to 2: in the unit of
        the user's weights sums might overflow or vanish.
    dtype : dtype
        Of the centres: float32 or float64.
    shift : ndarray of shape (n_features,), float64, or None
        A point near the data; work happens relative to it. None stands for the origin.
    sq_norms : ndarray of shape (n_samples,), or None
        Squared distance of each row from the shift, float32 where that has room for it; None for
        sparse rows.
    canonical : CanonicalRows
        The order of the rows that does not depend on how they were given.
    variance : float
        Weighted variance, averaged over the features.
    sum_of_squares : float
        Weighted sum of the squared distances from the shift.
    weight_unit : float
        A power of two: what an inertia is multiplied by to be in the unit of the user's weights.
    """

    rows: "Rows"
    n_clusters: int
    sample_weight: np.ndarray | None
    dtype: np.dtype
    shift: np.ndarray | None
    sq_norms: np.ndarray | None
    canonical: "CanonicalRows"
    variance: float
    sum_of_squares: float
    weight_unit: float = 1.0

    @property
    def given_weight(self):
        """The weights as the user gave them, or None; for what takes them for numbers of rows."""
        return None if self.sample_weight is None else self.sample_weight * self.weight_unit

    def counted_rows(self, *ties):
        """The rows that have a weight, in an order that does not depend on how they were given.

        The order is the canonical one. Equal rows come by weight, and by `ties`, arrays of
        shape (n_samples,), the first one first.
        """
        keys = [self.canonical.keys, self.sample_weight, *ties]
        keys = [key for key in keys if key is not None]
        order = self.canonical.order if len(keys) == 1 else np.lexsort(keys[::-1])
        return order if self.sample_weight is None else order[self.sample_weight[order] > 0.0]


class Step(NamedTuple):
    """One iteration of Lloyd's algorithm: assign, then update.

    Attributes
    ----------
    iteration : int
        Counted from 0.
    labels : ndarray of shape (n_samples,)
        Nearest of the centres that the iteration started from.
    centers : ndarray of shape (n_clusters, n_features)
        The means of those clusters: where the next iteration starts.
    inertia : float
        Weighted sum of squared distances of the rows to the centres that the
        iteration started from.
    center_shift : float
        Squared Frobenius norm of the movement of the centres.
    n_changed : int
        Rows whose label differs from the iteration before.
    n_empty : int
        Clusters that no row chose, before they were relocated.
    seconds : float
        Wall-clock time of the iteration.
    converged : {"", "strict", "tol"}
        Why the run ends here; empty while it goes on.
    """

    iteration: int
    labels: np.ndarray
    centers: np.ndarray
    inertia: float
    center_shift: float
    n_changed: int
    n_empty: int
    seconds: float
    converged: str


# Without seconds: two fits of the same are the same bytes in a pickle.
HISTORY_DTYPE = np.dtype(
    [
        ("inertia", np.float64),
        ("center_shift", np.float64),
        ("n_changed", np.int64),
        ("n_empty", np.int64),
    ]
)

START_HISTORY_DTYPE = np.dtype([("start", np.int64), *HISTORY_DTYPE.descr])


BATCH_HISTORY_DTYPE = np.dtype(
    [
        ("inertia", np.float64),
        ("smoothed_inertia", np.float64),
        ("center_shift", np.float64),
        ("n_reassigned", np.int64),
    ]
)


class Result(NamedTuple):
    """What one run, or the best of several, found."""

    centers: np.ndarray
    labels: np.ndarray
    inertia: float
    n_iter: int
    converged: bool
    history: np.ndarray
    start_inertias: np.ndarray | None = None
    start_histories: np.ndarray | None = None
