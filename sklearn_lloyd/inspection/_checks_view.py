"""What the checks look at: a clustering, and what several of them need of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from sklearn.cluster import DBSCAN
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from sklearn_lloyd._axes import principal_axes
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._moments import centered, weighted_mean
from sklearn_lloyd._predict import distances_to_centers
from sklearn_lloyd._rows import Rows, even_slices
from sklearn_lloyd.metrics._separation import separations

N_PAIRED = 2000  # rows of the sample that are compared with each other
# Half of the rows have so many others within the radius, and those with a third as many connect.
# On a line of even density, where chance gaps are widest, one of the radius, ten mean spacings,
# comes once in 20,000 rows, so that a cloud or curve holds together. Rows in thin tails connect
# nothing.
N_NEIGHBORS, CORE = 20, 7
CONNECTED = 2 / 3  # of the rows at least are in groups, or they say nothing of the whole
MOST_AXES = 10  # that a sample is looked at along
_FEATURE_VALUES = 1 << 20  # of sparse rows that are dense at once, where features are looked at
FEWEST = 10  # rows in a cluster of which anything is said: the error of a spread is a fourth


@dataclass(frozen=True, eq=False)
class View:
    """A clustering in the space that the clusterer sees.

    Attributes
    ----------
    features : {ndarray, CSC} of shape (n_rows, n_features), float64
        A sample, in random order.
    rows : ndarray of shape (n_rows, n_dimensions), float64
        The same, or points as far from each other and from the centres where there are fewer
        rows than features.
    keys : ndarray of shape (n_rows,), float64
        Equal rows have equal ones.
    weights : ndarray of shape (n_rows,), float64
        How many rows each stands for.
    labels : ndarray of shape (n_rows,), intp
    centers : ndarray of shape (n_clusters, n_dimensions), float64
    feature_centers : ndarray of shape (n_clusters, n_features), float64
        The same, as they are.
    counts : ndarray of shape (n_clusters,), intp
        How many of *all* rows there are in each cluster.
    sizes : ndarray of shape (n_clusters,), float64
        What these weigh.
    variances : ndarray of shape (n_features,), float64
        Of all rows; zero for constant features.
    names : sequence of str
        Of the features.
    counts_of_rows : CSR of shape (n_rows, n_features), or None
        The sample of sparse rows that have no negative values; None of other rows.
    identifiers : pair of lists of str
        Features that name the rows, by their names and by their values.
    n_iter, max_iter : int or None
    converged : bool or None
        None: not known.
    n_starts, seed : int
    """

    features: np.ndarray | sparse.csc_matrix
    rows: np.ndarray
    keys: np.ndarray
    weights: np.ndarray
    labels: np.ndarray
    centers: np.ndarray
    feature_centers: np.ndarray
    counts: np.ndarray
    sizes: np.ndarray
    variances: np.ndarray
    names: list
    counts_of_rows: sparse.csr_matrix | None
    identifiers: tuple
    n_iter: int | None
    max_iter: int | None
    converged: bool | None
    n_starts: int
    seed: int

    @property
    def n_clusters(self):
        return len(self.centers)

    @property
    def n_features(self):
        return self.features.shape[1]

    @cached_property
    def n_distinct(self):
        """How many rows of the sample differ."""
        return np.unique(self.keys).size

    @cached_property
    def members(self):
        """The rows of each cluster in the sample, a list of index arrays."""
        order = np.argsort(self.labels, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.labels, minlength=self.n_clusters))[:-1])

    @cached_property
    def residuals(self):
        """The rows of the sample, less the means of their clusters in it."""
        return self._less_means(self.rows)

    def _less_means(self, values):
        residuals = values.copy()
        for members in self.members:
            if members.size:
                residuals[members] = centered(values[members], self.weights[members])[0]
        return residuals

    def values_of(self, features):
        """The sample's values of some features, dense."""
        values = self.features[:, features]
        return values.toarray() if sparse.issparse(values) else values

    def residuals_of(self, features):
        """The same, less the means of the clusters."""
        return self._less_means(self.values_of(features))

    def by_feature(self, measure):
        """`measure(features)`, an array, of a few features at a time; 0 where all values are 0."""
        present = np.arange(self.n_features)
        if sparse.issparse(self.features):
            present = np.flatnonzero(np.diff(self.features.indptr))
        found = np.zeros(self.n_features)
        at_once = max(1, _FEATURE_VALUES // len(self.rows))
        for part in even_slices(present.size, at_once):
            found[present[part]] = measure(present[part])
        return found

    @cached_property
    def two_valued(self):
        """Which features have two values in the sample, as one-hot columns do."""

        def has_two_values(features):
            values = self.values_of(features)
            low, high = values.min(axis=0), values.max(axis=0)
            return (low < high) & ((values == low) | (values == high)).all(axis=0)

        return self.by_feature(has_two_values) > 0.0

    @cached_property
    def principal(self):
        """The principal axes of some rows."""
        return principal_axes(self.rows[:N_PAIRED], self.weights[:N_PAIRED], MOST_AXES)

    @cached_property
    def within(self):
        """Variances of the features within the clusters."""

        def measure(features):
            return weighted_mean(np.square(self.residuals_of(features)), self.weights)

        return self.by_feature(measure)

    @cached_property
    def spreads(self):
        """Root mean squared distance of each cluster's rows from their mean; NaN if too few."""
        squares = np.einsum("ij,ij->i", self.residuals, self.residuals)
        return np.array([
            np.sqrt(weighted_mean(squares[members], self.weights[members]))
            if members.size >= FEWEST
            else np.nan
            for members in self.members
        ])  # fmt: skip

    @cached_property
    def center_distances(self):
        return distances_to_centers(Rows(self.centers), self.centers)

    @cached_property
    def separation(self):
        """What the rows of the sample between each two clusters say."""
        rows = Rows(self.features.tocsr() if sparse.issparse(self.features) else self.features)
        clustering = self.labels, self.feature_centers, self.sizes
        return separations(rows, self.weights, [clustering])[0]

    @cached_property
    def starts(self):
        """Fresh starts on the sample: the labels and the inertia of each, the best first."""
        runs = [self._fit(random_state=self.seed + i) for i in range(self.n_starts)]
        return sorted(((run.labels_, run.inertia_) for run in runs), key=lambda run: run[1])

    @cached_property
    def settled_inertia(self):
        """Inertia of the sample after Lloyd's algorithm from the estimator's own centres."""
        return self._fit(init=self.centers).inertia_

    def _fit(self, **params):
        # NumPy alone, on one thread: small problems, and no compilation.
        model = KMeans(self.n_clusters, n_init=1, **params)
        return model.fit(self.rows, sample_weight=self.weights)

    @cached_property
    def agreement(self):
        """Median of the adjusted Rand index of the starts with the best of them."""
        best = self.starts[0][0]
        return float(np.median([adjusted_rand_score(best, run[0]) for run in self.starts[1:]]))

    @cached_property
    def density(self):
        """Groups that are connected by dense rows: (labels of some rows, radius).

        Rows of no group have -1.
        """
        rows = self.rows[:N_PAIRED]
        # Between two values there always is a gap.
        if rows.shape[1] == self.n_features and not self.two_valued.all():
            rows = rows[:, ~self.two_valued]
        nearest = NearestNeighbors(n_neighbors=min(N_NEIGHBORS, len(rows) - 1)).fit(rows)
        radius = float(np.median(nearest.kneighbors()[0][:, -1]))
        if radius == 0.0:  # mostly repeats
            return np.full(len(rows), -1), radius
        labels = DBSCAN(eps=radius, min_samples=CORE).fit(rows).labels_
        # Islands in the tails of a cloud are smaller than the neighbourhoods looked at.
        fewest = max(N_NEIGHBORS, len(rows) // 100)
        few = np.flatnonzero(np.bincount(labels + 1)[1:] < fewest)
        return np.where(np.isin(labels, few), -1, labels), radius

    @cached_property
    def n_dense_groups(self):
        """How many groups there are, 0 if most rows are in none."""
        inside = self.density[0] >= 0
        return len(np.unique(self.density[0][inside])) if inside.mean() >= CONNECTED else 0
