"""Numbers of any size: the right answer or an error that says why, never a silent wrong one."""

import re

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_lloyd import KMeans, MiniBatchKMeans, k_means, kmeans_plusplus, lloyd_steps, metrics
from sklearn_lloyd.inspection import cluster_profiles, diagnose
from sklearn_lloyd.model_selection import NClustersSearch, bic, gap_statistic
from sklearn_lloyd.preprocessing import CentroidFeatures, ClusterScaler
from sklearn_lloyd.preprocessing._features import OUTPUTS
from sklearn_lloyd.preprocessing._scaling import METHODS, SPARSE_METHODS

rng = np.random.default_rng(0)
X = np.repeat([[-8.0, 1.0, 2.0], [0.0, 5.0, 0.5], [9.0, -6.0, 1.0]], 12, axis=0)
X += rng.normal(size=X.shape)
LABELS = np.repeat([0, 1, 2], 12)
MODEL = KMeans(3, random_state=0).fit(X)


def there_and_back(scaler, rows):
    return scaler.inverse_transform(scaler.fit_transform(rows))


def fitted(rows):
    return KMeans(3, random_state=0).fit(rows)


# What makes numbers of rows, and the power of the unit of X that these are in.
SCALERS = {
    **{f"{m}": (lambda X, m=m: ClusterScaler(m).fit_transform(X), int(m == "none"))
       for m in METHODS},
    **{f"{m}, clip": (
        lambda X, m=m: ClusterScaler(m, clip=1.0).fit_transform(X), int(m == "none"))
       for m in METHODS},
    **{f"{m}, sparse": (
        lambda X, m=m: ClusterScaler(m).fit_transform(sparse.csr_matrix(X)).toarray(),
        int(m == "none"))
       for m in SPARSE_METHODS},
    **{f"{m}, inverse": (lambda X, m=m: there_and_back(ClusterScaler(m), X), 1)
       for m in METHODS if m != "unit-norm"},
}  # fmt: skip
OF_SQUARES = {
    "KMeans": (lambda X: fitted(X).cluster_centers_, 1),
    "KMeans, inertia": (lambda X: fitted(X).inertia_, 2),
    "KMeans, sparse": (lambda X: fitted(sparse.csr_matrix(X)).cluster_centers_, 1),
    "KMeans, k-means||": (lambda X: KMeans(3, init="k-means||", random_state=0).fit(X).labels_, 0),
    "transform": (lambda X: fitted(X).transform(X), 1),
    "score": (lambda X: fitted(X).score(X), 2),
    "fit_batches": (lambda X: KMeans(3, init=X[::12]).fit_batches([X[:20], X[20:]]).inertia_, 2),
    "k_means": (lambda X: k_means(X, 3, random_state=0)[2], 2),
    "kmeans_plusplus": (lambda X: kmeans_plusplus(X, 3, random_state=0)[1], 0),
    "lloyd_steps": (lambda X: [step.inertia for step in lloyd_steps(X, X[::12])], 2),
    "from_centers": (lambda X: KMeans.from_centers(X[::12]).transform(X), 1),
    "MiniBatchKMeans": (lambda X: MiniBatchKMeans(3, random_state=0).fit(X).labels_, 0),
    "partial_fit": (
        lambda X: MiniBatchKMeans(3, random_state=0).partial_fit(X).cluster_centers_, 1),
    "silhouette": (lambda X: metrics.silhouette_samples(X, LABELS), 0),
    "silhouette, sparse": (lambda X: metrics.silhouette_samples(sparse.csr_matrix(X), LABELS), 0),
    "silhouette, squares": (
        lambda X: metrics.silhouette_score(X, LABELS, metric="sqeuclidean"), 0),
    "simplified": (lambda X: metrics.simplified_silhouette_samples(X, LABELS), 0),
    "simplified, centers": (
        lambda X: metrics.simplified_silhouette_score(X, LABELS, centers=X[::12]), 0),
    "Calinski-Harabasz": (lambda X: metrics.calinski_harabasz_score(X, LABELS), 0),
    "Davies-Bouldin": (lambda X: metrics.davies_bouldin_score(sparse.csr_matrix(X), LABELS), 0),
    "bic": (lambda X: bic(X, LABELS) - bic(X, LABELS // 2), 0),
    "gap": (lambda X: gap_statistic(X, [1, 3], n_refs=2, random_state=0).gap, 0),
    "search": (lambda X: NClustersSearch(n_clusters=(2, 3, 4), random_state=0).fit(X).labels_, 0),
    "diagnose": (lambda X: len(diagnose(fitted(X), X)), 0),
    "profiles": (lambda X: cluster_profiles(fitted(X), X).rank_differences, 0),
    **{f"features, {output}": (
        lambda X, output=output: CentroidFeatures(
            n_clusters=3, output=output, random_state=0).fit_transform(X),
        {"distance": 1, "squared-distance": 2, "triangle": 1, "residual": 1}.get(output, 0))
       for output in OUTPUTS},
}  # fmt: skip
RANGES = {np.float64: (-1040, -700, -480, 480, 700, 1019), np.float32: (-120, -40, 40, 123)}
REASON = "overflow float64|vanish in float64|overflows float32|vanish in float32|vary by so little"


@pytest.mark.parametrize("dtype", RANGES)
@pytest.mark.parametrize("name", [*SCALERS, *OF_SQUARES])
def test_numbers_of_any_size(name, dtype):
    entry, power = {**SCALERS, **OF_SQUARES}[name]
    expected = np.asarray(entry(X.astype(dtype)), np.float64)
    answers = 0
    for exponent in RANGES[dtype]:
        rows = np.ldexp(X.astype(dtype), exponent)
        try:
            found = np.asarray(entry(rows), np.float64)
        except ValueError:
            with pytest.raises(ValueError, match=REASON):
                entry(rows)
            continue
        answers += 1
        for _ in range(power):  # at once it would overflow
            found = np.ldexp(found, -exponent)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    # Of scalers nearly all: they are what the errors of the others advise.
    assert answers >= (len(RANGES[dtype]) - 2 if name in SCALERS else 2 - (power == 2))


TOO_LARGE, NOT_A_NUMBER = np.full((2, 3), 1e200), np.full((2, 3), np.nan)
OF_NEW_ROWS = {
    "predict": MODEL.predict,
    "predict, sparse": lambda X: MODEL.predict(sparse.csr_matrix(X)),
    "transform": MODEL.transform,
    "score": MODEL.score,
    **{f"features, {output}": CentroidFeatures(
        FrozenEstimator(MODEL), output=output).fit(X).transform for output in OUTPUTS},
    "simplified": lambda X: metrics.simplified_silhouette_samples(
        X, [0, 1], centers=MODEL.cluster_centers_),
    "from_centers": KMeans.from_centers,
}  # fmt: skip


@pytest.mark.parametrize("name", OF_NEW_ROWS)
def test_new_rows_that_are_too_far_to_compare(name):
    with pytest.raises(ValueError, match="values up to 1e\\+200: squared distances overflow"):
        OF_NEW_ROWS[name](TOO_LARGE)


@pytest.mark.parametrize("method", METHODS)
def test_scaled_rows_that_overflow_are_an_error(method):
    scaler = ClusterScaler(method).fit(X * 1e-300)
    if method in ("unit-norm", "none"):
        np.testing.assert_array_less(0.0, np.abs(scaler.transform(TOO_LARGE)))
        return
    with pytest.raises(ValueError, match="result overflows float64"):
        scaler.transform(TOO_LARGE)
    with pytest.raises(ValueError, match="result overflows float32"):
        ClusterScaler(method).fit(X).inverse_transform(np.full((1, 3), 3e38, np.float32))


ENTRIES = {**SCALERS, **OF_SQUARES}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", ENTRIES)
def test_what_is_not_finite_is_never_called_large(name, bad):
    rows = X.copy()
    rows[5, 1] = bad
    entry = ENTRIES[name][0]
    what = "NaN" if np.isnan(bad) else "infinity"
    with pytest.raises(ValueError, match=f"(contains|Input).* {what}"):
        entry(rows)
    with sklearn.config_context(assume_finite=True):
        try:
            entry(rows)
        except (ValueError, np.linalg.LinAlgError) as error:
            assert not re.search(REASON, str(error))  # noqa: PT017


@pytest.mark.parametrize("exponent", [-1010, -700, 700, 1010])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_profiles_of_numbers_of_any_size(convert, exponent):
    rng = np.random.RandomState(0)
    rows = np.concatenate([rng.normal(size=(20, 2)), rng.normal(9, size=(20, 2))])
    rows[:, 1] = rng.permutation(np.repeat([-1.0, 1.0], 20)) * 8000.0
    unit, weights = np.ldexp(1.0, exponent), rng.uniform(1, 2, 40)
    model = make_pipeline(ClusterScaler("none"), KMeans(2, random_state=0)).fit(rows)
    model.steps[0] = "unit", FunctionTransformer(lambda X: X / unit)
    found = cluster_profiles(model, convert(rows * unit), sample_weight=weights)
    model.steps[0] = "unit", FunctionTransformer()
    want = cluster_profiles(model, convert(rows), sample_weight=weights)
    for name in ("differences", "rank_differences"):
        np.testing.assert_array_equal(getattr(found, name), getattr(want, name))
    for name in ("means", "medians", "whole_mean", "whole_median", "whole_deviation"):
        np.testing.assert_array_equal(getattr(found, name), getattr(want, name) * unit)
    assert found.stands_out == want.stands_out
