"""ClusterScaler on dask collections: what it learns from rows in memory, in one pass."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.pipeline import make_pipeline

from sklearn_lloyd import KMeans
from sklearn_lloyd.distributed import DaskKMeans
from sklearn_lloyd.preprocessing import ClusterScaler

METHODS = ["zscore", "range", "maxabs", "unit-norm", "none"]


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="sync"):
        yield


@pytest.fixture(scope="module")
def X():
    rows = np.random.default_rng(0).normal(size=(900, 3)) * [1.0, 1e3, 1e-4] + [0, 1e6, 0]
    rows[700:] *= 100  # blocks that lie elsewhere, in other units
    return rows


def same(scaler, whole):
    rtol = 1e-12 if whole.method == "zscore" else 0.0
    for name in ("center_", "scale_"):
        found, expected = getattr(scaler, name), getattr(whole, name)
        assert (found is None) == (expected is None)
        if expected is not None:
            assert_allclose(found, expected, rtol=rtol)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weighted", [False, True])
def test_same_as_from_one_array(X, method, weighted):
    weights = np.random.default_rng(1).integers(0, 3, len(X)) * 0.5 if weighted else None
    whole = ClusterScaler(method).fit(X, sample_weight=weights)
    rows = da.from_array(X, chunks=((0, 300, 1, 599), 2))
    if weighted:  # in other blocks than the rows
        weights = da.from_array(weights, chunks=400)
    scaler = ClusterScaler(method).fit(rows, sample_weight=weights)
    same(scaler, whole)
    scaled = scaler.transform(rows)
    assert isinstance(scaled, da.Array)
    assert_allclose(scaled.compute(), whole.transform(X), rtol=1e-9, atol=1e-9)
    assert scaler.transform(rows.astype(np.float32)).compute().dtype == np.float32


def test_frames_and_a_pipeline(X):
    frame = pd.DataFrame(X, columns=list("abc"))
    rows = dd.from_pandas(frame, npartitions=4)
    pipeline = make_pipeline(ClusterScaler(feature_weights={"a": 2.0}), DaskKMeans(3, init=X[:3]))
    pipeline[-1].set_params(init=pipeline[0].fit(frame).transform(frame[:3]))
    pipeline.fit(rows)
    assert list(pipeline[0].feature_names_in_) == list("abc")
    local = make_pipeline(ClusterScaler(feature_weights={"a": 2.0}), KMeans(3))
    local[-1].set_params(init=pipeline[-1].init)
    labels = local.fit(frame).predict(frame)
    assert_array_equal(pipeline.predict(rows).compute(), labels)
    assert list(pipeline[0].transform(rows).columns) == list("abc")
    single = pipeline[0].transform(rows.astype(np.float32))
    assert set(single.dtypes) == set(single.compute().dtypes) == {np.dtype(np.float32)}
    with pytest.raises(ValueError, match="feature names"):
        pipeline[0].transform(rows.rename(columns={"a": "z"}))


def test_csr_and_delayed_blocks(X):
    dense = np.where(X > 0, X, 0.0)
    rows = da.from_array(dense, chunks=(200, -1)).map_blocks(sparse.csr_array)
    scaler = ClusterScaler("maxabs").fit(rows)
    whole = ClusterScaler("maxabs").fit(sparse.csr_array(dense))
    same(scaler, whole)
    parts = dask.compute(*scaler.transform(rows).to_delayed().ravel())
    assert all(sparse.issparse(part) for part in parts)
    assert_allclose(sparse.vstack(parts).toarray(), whole.transform(dense))
    with pytest.raises(ValueError, match="method='zscore' takes off a centre"):
        ClusterScaler().fit(rows)
    blocks = [dask.delayed(part) for part in np.split(X, 3)]
    same(ClusterScaler().fit(blocks), ClusterScaler().fit(X))
    assert len(dask.compute(*ClusterScaler().fit(X).transform(blocks))) == 3


def test_bad_input(X):
    rows = da.from_array(X, chunks=(100, -1))
    scaler = ClusterScaler().fit(rows)
    before = dict(vars(scaler))
    broken = X.copy()
    broken[310, 1] = np.nan
    with pytest.raises(ValueError, match=r"(?s)Block 3 .*NaN"):
        scaler.fit(da.from_array(broken, chunks=(100, -1)))
    with pytest.raises(ValueError, match="no rows"):
        scaler.fit(rows[:0])
    with pytest.raises(ValueError, match=r"Block 1 .* 2 features.*block 0 has .* 3 f"):
        scaler.fit([dask.delayed(X), dask.delayed(X[:, :2])])
    assert vars(scaler) == before
    for options in ({"method": "robust"}, {"method": "whiten"}, {"clip": 2.0}):
        with pytest.raises(ValueError, match="fit the scaler to a sample"):
            ClusterScaler(**options).fit(rows)
    with pytest.raises(ValueError, match="differences overflow"):
        ClusterScaler().fit(da.from_array([[1e308], [-1e308]], chunks=(1, 1)))


@pytest.mark.parametrize("estimator", [ClusterScaler(), DaskKMeans(3, random_state=0)])
@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_an_output_that_would_load_all_rows_is_refused(X, estimator, output):
    rows = da.from_array(X, chunks=(300, -1))
    estimator.set_output(transform="default").fit(rows)
    assert isinstance(estimator.transform(rows), da.Array)
    with pytest.raises(ValueError, match=f"{output}.*would be loaded.*default"):
        estimator.set_output(transform=output).transform(rows)
