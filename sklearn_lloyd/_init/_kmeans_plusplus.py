"""Greedy k-means++ seeding."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._init._compiled import MOST_TRIALS, CompiledGreedy
from sklearn_lloyd._init._greedy import Greedy, SmallGreedy
from sklearn_lloyd._init._random import rows_by_weight
from sklearn_lloyd._init._sparse import SparseGreedy
from sklearn_lloyd._kernels import are_few


def kmeans_plusplus_rows(problem, rng, n_local_trials=None):
    """Choose rows by greedy k-means++ (Arthur & Vassilvitskii 2007, section on trials).

    Each centre after the first is the best of `n_local_trials` rows, which are drawn with a
    probability proportional to weight times squared distance to the nearest centre so far.
    The trials are compared by one product for all of them; the distances to the chosen row
    are then computed exactly, where it may be nearer, so that a row that equals a centre
    has distance zero and the next draw has nothing of rounding in it.

    Cost: O(n k d log k) products, O(n k) for the draws.

    Returns
    -------
    rows : ndarray of intp of shape (n_clusters,)
    """
    if n_local_trials is None:
        n_local_trials = 2 + int(np.log(problem.n_clusters))
    compiled = problem.chunks.compiled is not None and n_local_trials <= MOST_TRIALS
    kind = CompiledGreedy if compiled else Greedy
    if problem.chunks.compiled is None and are_few(problem.chunks.X, n_local_trials):
        kind = SmallGreedy
    if problem.chunks.is_sparse:
        kind = SparseGreedy
    seeding = kind(problem, n_local_trials)
    rows = np.empty(problem.n_clusters, np.intp)
    rows[0] = rows_by_weight(problem, rng.uniform(size=1))[0]
    seeding.start(rows[0])
    for c in range(1, problem.n_clusters):
        uniforms = rng.uniform(size=n_local_trials)
        if seeding.potential > 0:
            rows[c] = seeding.take_best_of(seeding.draw(uniforms))
        else:  # fewer distinct rows than centres
            rows[c] = rows_by_weight(problem, uniforms[:1])[0]
    return rows
