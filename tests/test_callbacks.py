"""scikit-learn's callbacks: told of every task of a fit, able to end it, and free when not set."""

import pickle
from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lloyd import KMeans, MiniBatchKMeans

X = np.random.default_rng(0).normal(size=(300, 3))


class Recorder:
    """Notes every call; ends the level of the task that it is given."""

    def __init__(self, stop_at=None):
        self.calls, self.fitted, self.stop_at = [], [], stop_at

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, metadata=None):
        self.calls.append(f"begin {context.task_name} {context.task_id}")
        self.given = X, metadata

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        task = f"{context.task_name} {context.task_id}"
        self.calls.append(f"end {task}")
        self.fitted.append(fitted_estimator)
        return task == self.stop_at

    def count(self, start):
        return sum(call.startswith(start) for call in self.calls)


if find_spec("sklearn.callback") is None:  # before scikit-learn 1.9

    @pytest.mark.parametrize("estimator", [KMeans(2), MiniBatchKMeans(2)])
    def test_no_callbacks_yet(estimator):
        assert not hasattr(estimator, "set_callbacks")
        assert estimator.fit(X).cluster_centers_.shape == (2, 3)

else:
    from sklearn.callback import ProgressBar, ScoringMonitor

    def test_tasks_of_kmeans():
        recorder = Recorder()
        weights = np.ones(len(X))
        model = KMeans(3, n_init=2, random_state=0).set_callbacks(recorder)
        model.fit(X, sample_weight=weights)
        expected = ["setup", "begin fit 0"]
        for i, n_iter in enumerate(np.bincount(model.start_histories_["start"])):
            expected.append(f"begin start {i}")
            for j in range(n_iter):
                expected += [f"begin iteration {j}", f"end iteration {j}"]
            expected.append(f"end start {i}")
        assert recorder.calls == [*expected, "end fit 0", "teardown"]
        assert recorder.given[0] is X
        assert recorder.given[1]["sample_weight"] is weights
        plain = KMeans(3, n_init=2, random_state=0).fit(X)
        np.testing.assert_array_equal(model.cluster_centers_, plain.cluster_centers_)

    def test_fitted_estimator_is_where_the_iteration_ended():
        recorder = Recorder()
        model = KMeans(3, init=X[:3], random_state=0).set_callbacks(recorder).fit(X)
        scores = [-fitted.score(X) for fitted in recorder.fitted]
        # The inertia of an iteration is that of the centres that the one before ended with.
        np.testing.assert_allclose(scores[: model.n_iter_ - 1], model.history_["inertia"][1:])
        np.testing.assert_allclose(scores[model.n_iter_ :], model.inertia_)
        their = TheirKMeans(3, init=X[:3], n_init=1, max_iter=2).fit(X)
        np.testing.assert_allclose(recorder.fitted[1].cluster_centers_, their.cluster_centers_)

    def test_stop_after_an_iteration():
        recorder = Recorder(stop_at="iteration 1")
        model = KMeans(3, init=X[:3]).set_callbacks(recorder).fit(X)
        whole = KMeans(3, init=X[:3], max_iter=2).fit(X)
        assert model.n_iter_ == 2
        assert not model.converged_
        np.testing.assert_array_equal(model.cluster_centers_, whole.cluster_centers_)
        np.testing.assert_array_equal(model.labels_, model.predict(X))
        assert recorder.count("begin") == recorder.count("end")

    def test_stop_after_a_start():
        recorder = Recorder(stop_at="start 1")
        model = KMeans(3, n_init=5, random_state=0).set_callbacks(recorder).fit(X)
        assert model.start_inertias_.shape == (2,)
        assert set(model.start_histories_["start"]) == {0, 1}
        assert model.inertia_ == model.start_inertias_.min()

    def test_tasks_of_minibatches():
        recorder = Recorder(stop_at="step 4")
        model = MiniBatchKMeans(3, batch_size=32, random_state=0).set_callbacks(recorder).fit(X)
        assert model.n_steps_ == 5
        assert recorder.calls[-4:] == ["begin step 4", "end step 4", "end fit 0", "teardown"]
        fitted = recorder.fitted[-2]
        np.testing.assert_array_equal(fitted.cluster_centers_, model.cluster_centers_)

    def test_tasks_of_batches():
        recorder = Recorder()
        model = KMeans(3, init=X[:3]).set_callbacks(recorder).fit_batches([X[:100], X[100:]])
        assert recorder.count("end iteration") == model.n_iter_
        recorder = Recorder(stop_at="pass 1")
        model = MiniBatchKMeans(3, random_state=0).set_callbacks(recorder)
        model.fit_batches([X[:100], X[100:]], n_passes=5)
        assert model.n_iter_ == 2
        recorder = Recorder()
        model.set_callbacks(recorder).partial_fit(X)
        assert recorder.calls == ["setup", "begin fit 0", "end fit 0", "teardown"]

    @pytest.mark.parametrize("estimator", [KMeans(3), MiniBatchKMeans(3)])
    def test_torn_down_when_fit_fails(estimator):
        recorder = Recorder()
        model = clone(estimator).set_callbacks(recorder).fit(X)
        before = model.cluster_centers_
        recorder.calls.clear()
        with pytest.raises(ValueError, match="NaN"):
            model.fit(np.where(X > 2, np.nan, X))
        assert recorder.calls[0] == "setup"
        assert recorder.calls[-1] == "teardown"
        assert model.cluster_centers_ is before
        assert not hasattr(model, "_callback_fit_ctx")
        pickle.loads(pickle.dumps(model.set_callbacks()))

    def test_progress_in_a_pipeline_in_a_search(capsys):
        pipeline = make_pipeline(StandardScaler(), KMeans(n_init=3, random_state=0))
        search = GridSearchCV(pipeline, {"kmeans__n_clusters": [2, 3]}, cv=2)
        search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X)
        shown = capsys.readouterr().out
        assert "KMeans - start #2" in shown
        assert search.best_params_ == {"kmeans__n_clusters": 3}

    def test_score_of_each_iteration():
        monitor = ScoringMonitor(scoring=lambda model, X, y=None: {"inertia": -model.score(X)})
        model = KMeans(3, random_state=0).set_callbacks(monitor).fit(X)
        log = monitor.get_logs().data
        inertias = [row["inertia"] for row in log if row["task_name"] == "iteration"]
        assert len(inertias) == model.n_iter_
        assert inertias == sorted(inertias, reverse=True)
        np.testing.assert_allclose(inertias[-1], model.inertia_)
        truth = model.labels_
        monitor = ScoringMonitor(scoring="adjusted_rand_score")
        KMeans(3, random_state=0).set_callbacks(monitor).fit(X.tolist(), truth)
        assert monitor.get_logs().data[-1]["adjusted_rand_score"] == 1.0
