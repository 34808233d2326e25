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
from sklearn_lloyd._moments import centered, rounding_of_means, weighted_mean
from sklearn_lloyd._predict import distances_to_centers
from sklearn_lloyd._rows import Rows, even_slices

N_PAIRED = 2000  # rows of the sample that are compared with each other
# Half of the rows have so many others within the radius, and those with a third as many connect.
# On a line of even density, where chance gaps are widest, one of the radius, ten mean spacings,
# comes once in 20,000 rows, so that a cloud or curve holds together. Rows in thin tails connect
# nothing.
N_NEIGHBORS, CORE = 20, 7
CONNECTED = 2 / 3  # of the rows at least are in groups, or they say nothing of the whole
# Along the line from a centre (0) to another one (1), the border is at 0.5. Windows as wide
# as this on either side of the border and of the centres are compared.
WINDOW = 0.1
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
    labels : ndarray of shape (n_rows,), intp
    centers : ndarray of shape (n_clusters, n_dimensions), float64
    counts : ndarray of shape (n_clusters,), intp
        How many of *all* rows there are in each cluster.
    sizes : ndarray of shape (n_clusters,), float64
        What these weigh.
    variances : ndarray of shape (n_features,), float64
        Of all rows; zero for constant features.
    names : sequence of str
        Of the features.
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
    counts: np.ndarray
    sizes: np.ndarray
    variances: np.ndarray
    names: list
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
    def graded(self):
        """The dimensions in which gaps are looked for, a mask.

        Without the features of two values, if there are others: between two values there always
        is a gap. All of them where points are in the place of rows.
        """
        all_dimensions = np.ones(self.rows.shape[1], bool)
        if all_dimensions.size != self.n_features or self.two_valued.all():
            return all_dimensions
        return ~self.two_valued

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
    def positions(self):
        """Where each row is on the line from its own centre (0) to each other one (1).

        The row itself does not count for its own centre, which would draw near to it in many
        dimensions. Of shape (n_rows, n_clusters); NaN for the own centre and one that equals it.
        """
        squares = distances_to_centers(Rows(self.rows), self.centers) ** 2
        every = np.arange(self.labels.size)
        sizes = self.sizes[self.labels]
        others = sizes - np.minimum(self.weights, sizes)
        without = np.divide(sizes, others, out=np.ones_like(sizes), where=others > 0.0)
        own = squares[every, self.labels] * without**2
        rounding = rounding_of_means(self.centers, self.within.sum())
        equal = self.center_distances <= rounding[:, np.newaxis] + rounding
        apart = np.where(equal, 0.0, self.center_distances)[self.labels] ** 2
        apart[every, self.labels] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(
                apart > 0.0, 0.5 + (own[:, np.newaxis] - squares) / (2 * apart), np.nan
            )

    @cached_property
    def border_share(self):
        """Share of the rows within a tenth of the way to another cluster."""
        near = (np.nan_to_num(self.positions, nan=0.0) > 0.5 - WINDOW).any(axis=1)
        return float(weighted_mean(near, self.weights))

    @cached_property
    def valleys(self):
        """How dense the rows are at the border of two clusters, relative to the sparser centre.

        About 0 for clusters with a gap between them, 1 and more where there is none. With the
        standard errors, that of counts; both of shape (n_clusters, n_clusters), NaN if there are
        too few rows to say.
        """
        at_border, at_center = (
            np.array([near[members].sum(axis=0) for members in self.members])
            for near in (np.abs(self.positions - place) < WINDOW for place in (0.5, 0.0))
        )
        border, low = at_border + at_border.T, np.minimum(at_center, at_center.T)
        low = np.where(low >= FEWEST / 2, low, np.nan)
        return border / low, np.sqrt(border + border**2 / low) / low

    @cached_property
    def shapes(self):
        """A list of (cluster, variance along its first axis, its variance, rows along three axes).

        Of clusters of enough rows; the rows along fewer axes if they vary along fewer. These three
        axes are of the dimensions in which gaps are looked for.
        """
        shapes = []
        for cluster, members in enumerate(self.members):
            if members.size >= FEWEST:
                part = self.residuals[members]
                found = graded = principal_axes(part, self.weights[members], 3)
                if not self.graded.all():
                    part = part[:, self.graded]
                    graded = principal_axes(part, self.weights[members], 3)
                shapes.append((cluster, found.variances[0], found.total, graded.project(part)))
        return shapes

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
        rows = self.rows[:N_PAIRED, self.graded]
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
