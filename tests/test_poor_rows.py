"""Constant, equal and few rows: an answer or a ValueError, never a warning of NumPy's."""

import traceback
import warnings

import numpy as np
import pytest
from scipy import sparse

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import ClusterDisplay, SilhouetteDisplay, diagnose
from sklearn_lloyd.model_selection import NClustersSearch, gap_statistic, prediction_strength

ROWS = {
    "equal": np.full((12, 3), 0.1),
    "all but one equal": np.vstack([np.full((12, 3), 0.1), [[1.0, 2.0, 3.0]]]),
    "constant feature": np.column_stack([np.full(12, 0.1), np.arange(12.0), np.arange(12.0) % 5]),
    "one": np.ones((1, 3)),
    "two": np.eye(3)[:2],
    "three": np.eye(3),
    "one feature": np.arange(12.0)[:, np.newaxis] // 4,
    "wide": np.random.default_rng(0).normal(size=(4, 30)),
}
CALLS = {
    "search": lambda X, model: NClustersSearch(
        n_clusters=(1, 2, 3), criteria=["gap", "stability"], n_refs=3, random_state=0
    ).fit(X),
    "gap": lambda X, model: gap_statistic(X, (1, 2, 3), n_refs=3, random_state=0),
    "uniform gap": lambda X, model: gap_statistic(
        X, (1, 2, 3), n_refs=3, reference="uniform", rule="first", random_state=0
    ),
    "strength": lambda X, model: prediction_strength(X, (1, 2, 3), n_splits=3, random_state=0),
    "diagnose": lambda X, model: diagnose(model, X, n_starts=3),
    "clusters": lambda X, model: ClusterDisplay.from_estimator(model, X),
    "silhouettes": lambda X, model: SilhouetteDisplay.from_estimator(model, X),
}


@pytest.mark.parametrize("wrap", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("call", CALLS)
def test_no_warning_of_numpy(call, rows, wrap):
    X = wrap(ROWS[rows])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = KMeans(min(2, X.shape[0]), random_state=0).fit(X)
        try:
            CALLS[call](X, model)
        except ValueError as error:  # few clusters, or the gap of sparse rows: refused in words
            place = traceback.extract_tb(error.__traceback__)[-1]
            assert place.line.startswith("raise "), place
    assert not [each for each in caught if issubclass(each.category, RuntimeWarning)]
