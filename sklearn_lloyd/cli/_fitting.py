"""Fit to rows that may be more than memory holds."""

from __future__ import annotations

import json

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler

from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._minibatch_kmeans import MiniBatchKMeans
from sklearn_lloyd._optional import import_optional
from sklearn_lloyd.cli._logs import log, say
from sklearn_lloyd.inspection._identifiers import identifiers
from sklearn_lloyd.inspection._undo import CannotUndo
from sklearn_lloyd.tracking._description import plain_parameters
from sklearn_lloyd.tracking._models import as_seen_by, read_model
from sklearn_lloyd.tracking._ranges import Fingerprint

# Those that learn block by block.
_SCALERS = {"zscore": StandardScaler, "range": MinMaxScaler, "maxabs": MaxAbsScaler}
_PASSES = 3  # of mini-batches: later ones change little
_SAMPLE_ROWS, _SAMPLE_VALUES = 100_000, 2_000_000


class Fitting:
    """One fit.

    The first pass over the rows counts them and learns the scaling; then it is known which way of
    fitting the memory allows.

    Parameters
    ----------
    rows : Rows
    budget : Budget
    options : SimpleNamespace
    reference : fitted estimator or None
        The model before.

    Attributes
    ----------
    way : Way
    fingerprint : str
        SHA-256 of the rows, as the store has it.
    """

    def __init__(self, rows, budget, options, reference):
        self._rows, self._options = rows, options
        self._reference = None if reference is None else read_model("reference", reference)
        self._scaler = None if options.scaling == "none" else _SCALERS[options.scaling]()
        fingerprint = Fingerprint()
        for i, frame in enumerate(rows.frames("Look at the rows", numbers=True)):
            if i == 0:
                _warn_of_ids(frame)
            if self._scaler is not None:
                self._scaler.partial_fit(frame)
            fingerprint.read(frame)
        self.fingerprint = fingerprint.hexdigest()
        self.way = budget.choose(rows.n_rows, len(rows.columns), options.method)

    def parameters(self):
        """The parameters of the Pipeline as the store has them."""
        return json.loads(plain_parameters(self._pipeline(self._clusterer())))

    def run(self):
        """The fitted Pipeline."""
        clusterer = self._clusterer()
        n_features = len(self._rows.columns)
        said = {"fit": "KMeans.fit", "batches": "KMeans.fit_batches"}
        say(
            f"{said.get(self.way.method, 'MiniBatchKMeans.fit_batches')}: {self.way.why}.",
            method=self.way.method,
            n_rows=self._rows.n_rows,
            n_features=n_features,
        )
        if self.way.method == "fit":
            clusterer.fit(self._whole())
        elif self.way.method == "batches":
            clusterer.fit_batches(lambda: self._blocks("Iterate"))
        else:
            clusterer.fit_batches(
                lambda: self._blocks("Mini-batches"), n_passes=self._options.max_iter or _PASSES
            )
        say(
            f"{len(clusterer.cluster_centers_)} clusters after {clusterer.n_iter_} iterations.",
            inertia=clusterer.inertia_,
            n_iter=clusterer.n_iter_,
        )
        return self._pipeline(clusterer)

    def _clusterer(self):
        options = self._options
        kind = MiniBatchKMeans if self.way.method == "mini-batches" else KMeans
        k = options.n_clusters
        if k is None:
            k = 8 if self._reference is None else len(self._reference.centers)
        given = {"n_init": options.n_init, "max_iter": options.max_iter}
        given = {name: value for name, value in given.items() if value is not None}
        if options.start == "previous":
            target = self._reference._replace(steps=self._transformers())
            try:
                init = as_seen_by(target, self._reference)
            except CannotUndo as reason:
                raise ValueError(
                    f"start 'previous' needs centres in the units of the columns: {reason}."
                ) from reason
            if len(init) != k:
                raise ValueError(
                    f"start 'previous' takes the {len(init)} centres of the model before, but "
                    f"n_clusters is {k}."
                )
            given |= {"init": init, "n_init": 1}
        return kind(k, random_state=options.random_state, **given)

    def _transformers(self):
        return [] if self._scaler is None else [self._scaler]

    def _pipeline(self, clusterer):
        steps = [("scale", scaler) for scaler in self._transformers()]
        return Pipeline([*steps, ("cluster", clusterer)])

    def _blocks(self, title):
        for frame in self._rows.frames(title, numbers=True):
            yield frame if self._scaler is None else self._scaler.transform(frame)

    def _whole(self):
        pandas = import_optional("pandas", extra="cli")
        n_rows, columns = self._rows.n_rows, self._rows.columns
        X, start = np.empty((n_rows, len(columns))), 0
        for block in self._blocks("Read"):
            if start + len(block) > n_rows:
                break
            X[start : start + len(block)] = block
            start += len(block)
        if start < n_rows or self._rows.n_rows != n_rows:
            raise ValueError("The data has changed while it was read: fit again.")
        return X if self._scaler is not None else pandas.DataFrame(X, columns=columns, copy=False)


def _warn_of_ids(frame):
    """Warn of columns that name the rows; the first block tells."""
    by_name, by_values = identifiers(frame, None, list(frame), None)
    for name in by_name + by_values:
        log.warning(
            f"The column {name!r} looks like an id and is used as a feature: name it by "
            "--id-column, or the features by --columns."
        )


def without_init(parameters):
    """Parameters but for the first centres, which are those of whatever was the version before."""
    return {name: value for name, value in parameters.items() if name != "cluster__init"}


def take_sample(frames, random_state):
    """Some rows of frames, in their order, or all if they are few.

    Each row draws a number; those with the smallest are taken. So the sample does not depend on
    how the rows are cut into blocks.
    """
    pandas = import_optional("pandas", extra="cli")
    rng = np.random.default_rng(random_state)
    kept, keys, below = None, np.empty(0), np.inf
    for frame in frames:
        size = max(1, min(_SAMPLE_ROWS, _SAMPLE_VALUES // frame.shape[1]))
        own = rng.random(len(frame))
        taken = own < below
        keys = np.concatenate([keys, own[taken]])
        frames = [frame[taken]] if kept is None else [kept, frame[taken]]
        kept = pandas.concat(frames, ignore_index=True)
        if len(keys) > size:
            smallest = np.sort(np.argpartition(keys, size)[:size])
            kept, keys = kept.iloc[smallest], keys[smallest]
            below = keys.max()
    return kept.reset_index(drop=True)
