"""Greedy k-means++ seeding."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._codes import can_encode
from sklearn_lloyd._init._compiled import MOST_TRIALS, CompiledGreedy, blocks_of_trials
from sklearn_lloyd._init._greedy import Greedy, SmallGreedy
from sklearn_lloyd._init._random import rows_by_weight
from sklearn_lloyd._init._sparse import SparseGreedy
from sklearn_lloyd._kernels import are_few

_MORE = 3  # times the usual number of trials, where clusters are added one by one


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
        n_local_trials = _default_trials(problem.n_clusters)
    seeding = _seeding(problem, n_local_trials)
    rows = np.empty(problem.n_clusters, np.intp)
    rows[0] = rows_by_weight(problem, rng.uniform(size=1))[0]
    seeding.start(rows[0])
    _fill_rows(rows[1:], problem, seeding, n_local_trials, rng)
    return rows


def open_for_seeding(chunks, n_clusters, n_local_trials=None):
    """A pool as of `Chunks.open`, for a problem that is to be stated and seeded and no more."""
    n_trials = _default_trials(n_clusters) if n_local_trials is None else n_local_trials
    if chunks.compiled_dense is None or n_trials > MOST_TRIALS:
        return chunks.open()
    n_blocks = max(len(chunks.blocks), len(blocks_of_trials(chunks)))
    return chunks.open(can_encode(chunks, n_clusters, np.dtype(np.float32)), n_blocks)


def grown_centers(problem, centers, labels, rng):
    """Add rows to fewer centres, each by a step of greedy k-means++, until they are enough.

    Parameters
    ----------
    problem : Problem
    centers : ndarray of shape (n_fewer, n_features)
    labels : ndarray of shape (n_samples,)
        The nearest of `centers`, for each row.
    rng : RandomState

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), float64
    """
    centers = centers.astype(np.float64)
    # One step decides about all that follow, and a trial costs little beside the loop.
    n_trials = min(_MORE * _default_trials(problem.n_clusters), MOST_TRIALS)
    seeding = _seeding(problem, n_trials)
    seeding.start_from(centers, labels)
    rows = np.empty(problem.n_clusters - len(centers), np.intp)
    _fill_rows(rows, problem, seeding, n_trials, rng)
    return np.concatenate([centers, problem.chunks.dense_rows(rows)])


def _default_trials(n_clusters):
    return 2 + int(np.log(n_clusters))


def _seeding(problem, n_trials):
    compiled = problem.chunks.compiled is not None and n_trials <= MOST_TRIALS
    kind = CompiledGreedy if compiled else Greedy
    if problem.chunks.compiled is None and are_few(problem.chunks.X, n_trials):
        kind = SmallGreedy
    if problem.chunks.is_sparse:
        kind = SparseGreedy
    return kind(problem, n_trials)


def _fill_rows(rows, problem, seeding, n_trials, rng):
    """Choose as many more rows as there is room for."""
    uniforms = rng.uniform(size=(rows.size, n_trials))
    i = seeding.choose_rows(uniforms, rows)
    while i < rows.size:
        if seeding.potential > 0:
            rows[i] = seeding.take_best_of(seeding.draw(uniforms[i]))
        else:  # fewer distinct rows than centres
            rows[i] = rows_by_weight(problem, uniforms[i, :1])[0]
        i += 1 + seeding.choose_rows(uniforms[i + 1 :], rows[i + 1 :])
