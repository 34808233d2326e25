"""A mean over all rows from a sample of each cluster, and how far off it may be."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._weights import scaled_weights


def sample_of_clusters(rng, codes, problem, size):
    """Draw rows of each cluster without replacement, in proportion to its size.

    Parameters
    ----------
    rng : RandomState
    codes : ndarray of intp of shape (n_samples,)
    problem : Problem
        The rows. Those without weight are not drawn, and which ones are does not depend on their
        order.
    size : int
        Rows to draw. From each cluster there are two at the least, if it has as many.

    Returns
    -------
    strata : list of (int, slice)
        How many rows each cluster has, and which of the drawn ones.
    rows : ndarray of intp
    """
    counted = problem.counted_rows()
    by_cluster = counted[np.argsort(codes[counted], kind="stable")]
    edges = np.flatnonzero(np.diff(codes[by_cluster])) + 1
    strata, drawn, n_drawn = [], [], 0
    for members in np.split(by_cluster, edges):
        n = min(members.size, max(2, round(size * members.size / counted.size)))
        drawn.append(rng.choice(members, n, replace=False))
        strata.append((members.size, slice(n_drawn, n_drawn + n)))
        n_drawn += n
    return strata, np.concatenate(drawn)


def estimate_mean(values, rows, strata, sample_weight):
    """The weighted mean of the values of all rows, and its standard error; floats."""
    sample_weight, _ = scaled_weights(sample_weight)
    if sample_weight is None:
        total = sum(size for size, _ in strata)
    else:
        total, values = sample_weight.sum(), values * sample_weight[rows]
    mean = variance = 0.0
    for size, drawn in strata:
        part = values[drawn]
        mean += size * part.mean()
        if part.size < size:
            variance += size * (size - part.size) * part.var(ddof=1) / part.size
    return float(mean / total), float(np.sqrt(variance) / total)
