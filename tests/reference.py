"""The core in plain NumPy: labels, iterations and drawn rows have to equal these, to the last."""

import numpy as np
from scipy import sparse


def as_float64(X):
    """An array or CSR (no entry twice) in C order, in which NumPy adds up each row pairwise."""
    return np.array(X.toarray() if sparse.issparse(X) else X, np.float64, order="C")


def sq_distances(X, centers):
    """Squared distances (n_rows, n_centers), by the definition for dense or for CSR rows."""
    rows, centers = as_float64(X), as_float64(centers)
    if not sparse.issparse(X):
        return np.column_stack([np.square(rows - c).sum(axis=1) for c in centers])
    X, sq_norms = sparse.csr_array(X, dtype=np.float64), np.square(centers).sum(axis=1)
    row_of_entry = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    terms = [X.data * (X.data - 2.0 * center[X.indices]) for center in centers]
    sums = np.column_stack([np.bincount(row_of_entry, each, X.shape[0]) for each in terms])
    return np.where(sums + sq_norms > 8 * np.finfo(float).eps * sq_norms, sums + sq_norms, 0.0)


def moments(X, w):
    """The shift, and the means and variances of the features; rows without weight do not count."""
    rows, w = as_float64(X)[w > 0.0], w[w > 0.0]
    mean = np.average(rows, axis=0, weights=w)
    variances = np.average(np.square(rows - mean), axis=0, weights=w)
    grid = 2.0 ** np.frexp(8.0 * np.sqrt(variances.mean()) * 1.0893484)[1]
    shift = np.round(mean / grid) * grid if variances.any() else mean
    return np.zeros_like(mean) if sparse.issparse(X) else shift, mean, variances


def canonical_keys(X, w):
    """One number for each row. Equal rows have equal keys; draws go through the rows by key."""
    shift, mean, variances = moments(X, w)
    scale, distance = np.sqrt(variances), np.abs(mean - shift)
    scale = np.where(scale > 2.0**-10 * distance, scale, distance)
    z = np.arange(1, scale.size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    direction = 1.0 + ((z ^ (z >> np.uint64(31))) >> np.uint64(12)) * 2.0**-52
    exponents = np.frexp(np.where(scale > 0.0, scale, 1.0) * 1.5405836)[1] - 1
    columns = zip(as_float64(X).T, shift, np.ldexp(direction, -exponents), strict=True)
    return sum((column - s) * factor for column, s, factor in columns)  # one after the other


def masses(values, total):
    """Whole numbers in proportion to values of that sum, which add up exactly; 0 only for 0."""
    scaled = np.ldexp(values, 61 - np.frexp(total)[1])  # their sum is from 2**60 to 2**61
    return np.maximum(scaled.astype(np.uint64), values > 0.0)


def draw(uniforms, mass, order):
    """Rows with a probability in proportion to their mass, by inverse CDF in the given order."""
    sums = mass[order].cumsum()
    targets = [int(u * 2.0**53) * int(sums[-1]) >> 53 for u in uniforms]
    return order[sums.searchsorted(np.array(targets, np.uint64), side="right")]


def kmeans_plusplus(X, n_clusters, seed, weights=None, n_trials=None):
    """The rows that greedy k-means++ chooses."""
    w, rng = np.ones(X.shape[0]) if weights is None else weights, np.random.RandomState(seed)
    order, weight = np.argsort(canonical_keys(X, w), kind="stable"), masses(w, w.sum())
    rows = list(draw(rng.uniform(size=1), weight, order))
    closest = sq_distances(X, X[rows])[:, 0]
    total = w @ closest
    for uniforms in rng.uniform(size=(n_clusters - 1, n_trials or 2 + int(np.log(n_clusters)))):
        if masses(w * closest, total).sum() < 2**50:
            total = w @ closest
        mass = masses(w * closest, total)
        if not mass.any():  # fewer distinct rows than clusters
            rows.extend(draw(uniforms[:1], weight, order))
            continue
        trials = draw(uniforms, mass, order)
        after = np.minimum(closest, sq_distances(X, X[trials]).T)
        gains = [int(mass.sum()) - int(masses(w * each, total).sum()) for each in after]
        best = next(i for i, gain in enumerate(gains) if gain >= max(gains) * (1 - 1e-10))
        rows, closest = [*rows, trials[best]], after[best]
    return np.array(rows)


def means(X, labels, w, n_clusters):
    """The means of the clusters; those without weight are where the heaviest one is."""
    shift, shares = moments(X, w)[0], (labels == np.arange(n_clusters)[:, np.newaxis]) * w
    totals = shares.sum(axis=1)
    own = np.where(totals > 0.0, np.arange(n_clusters), totals.argmax())
    return (shares @ (as_float64(X) - shift))[own] / totals[own, np.newaxis] + shift


def without_empty(X, labels, centers, w):
    """Labels in which empty clusters have the rows that cost most; equal rows go together."""
    members = np.bincount(labels[w > 0.0], minlength=len(centers))
    empty, moved, keys = list(np.flatnonzero(members == 0)), labels.copy(), canonical_keys(X, w)
    order = np.argsort(keys, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)
    cost = w * sq_distances(X, centers)[np.arange(w.size), labels]
    for rows in sorted(groups, key=lambda rows: -cost[rows].sum()):
        old, n_rows = labels[rows[0]], np.count_nonzero(w[rows])
        if empty and cost[rows].any() and members[old] > n_rows:
            members[old] -= n_rows
            moved[rows] = empty.pop(0)
    return moved


def lloyd(X, centers, weights=None, max_iter=300, tol=1e-4):
    """Labels, centres, inertia and the number of iterations of Lloyd's algorithm."""
    w, labels = np.ones(X.shape[0]) if weights is None else weights, None
    centers, variance, n_iter, stops = as_float64(centers), moments(X, w)[2].mean(), 0, False
    while n_iter < max_iter and not stops:
        n_iter, before, labels_before = n_iter + 1, centers, labels
        labels = own = sq_distances(X, before).argmin(axis=1)
        if np.unique(labels[w > 0.0]).size < len(before):
            own = without_empty(X, labels, before, w)
        centers, is_strict = means(X, own, w, len(before)), np.array_equal(labels, labels_before)
        stops = is_strict or np.square(centers - before).sum() <= tol * variance
    centers = centers.astype(X.dtype if X.dtype == np.float32 else np.float64)
    distances = sq_distances(X, centers)
    is_final = is_strict and centers.dtype == np.float64  # else the centres have moved since
    labels = labels if is_final else distances.argmin(axis=1)
    return labels, centers, w @ distances[np.arange(w.size), labels], n_iter


def minibatch_step(X, centers, counts, weights=None):
    """Centres and their weights after a batch, and the inertia of the batch before."""
    w, distances = np.ones(X.shape[0]) if weights is None else weights, sq_distances(X, centers)
    labels = distances.argmin(axis=1)
    shares = (labels == np.arange(len(centers))[:, np.newaxis]) * w
    counts = counts + shares.sum(axis=1)
    sums = shares @ (as_float64(X) - centers[labels])
    return centers + sums / np.where(counts > 0, counts, 1)[:, None], counts, w @ distances.min(1)


def silhouettes(X, labels, weights=None, simplified=False, root=np.sqrt):
    """Widths from the distances to all rows, or to means; squared if `root` is np.positive."""
    w, rows = np.ones(X.shape[0]) if weights is None else weights, np.arange(X.shape[0])
    shares = (labels == np.arange(labels.max() + 1)[:, np.newaxis]) * w
    totals = shares.sum(axis=1)
    others = totals[labels] - np.minimum(w, 1.0)  # a row of weight 3 is three equal rows
    if simplified:
        outer = root(sq_distances(X, means(X, labels, w, len(shares)))).T
        inner = outer[labels, rows]
    else:
        outer = shares @ root(sq_distances(as_float64(X), as_float64(X)))
        inner = outer[labels, rows] / np.where(others > 0.0, others, 1.0)
        outer /= np.where(totals > 0.0, totals, 1.0)[:, np.newaxis]
    outer[totals == 0.0] = outer[labels, rows] = np.inf
    largest, out = np.maximum(inner, outer.min(axis=0)), np.zeros(w.size)
    is_defined = (others > 0.0) & (largest > 0.0)
    return np.divide(outer.min(axis=0) - inner, largest, out=out, where=is_defined)
