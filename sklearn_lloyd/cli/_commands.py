"""The four commands."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sklearn_lloyd._columns import named_columns
from sklearn_lloyd._pipeline import fitted_names_of, split_steps
from sklearn_lloyd.cli._drift import DriftAbove, drift_table, require_within, spread_of
from sklearn_lloyd.cli._fitting import Fitting, take_sample, without_init
from sklearn_lloyd.cli._logs import say
from sklearn_lloyd.cli._memory import Budget, parse_size
from sklearn_lloyd.cli._reading import Rows
from sklearn_lloyd.cli._sources import open_source
from sklearn_lloyd.cli._writing import open_table, write_text
from sklearn_lloyd.inspection import cluster_profiles
from sklearn_lloyd.persistence import load, save
from sklearn_lloyd.tracking import SegmentStore, StoreTable, align_clusters
from sklearn_lloyd.tracking._description import labels_and_distances


class Loaded(NamedTuple):
    """A model in use.

    Attributes
    ----------
    estimator : fitted estimator
    ids : ndarray
        Segment of each cluster.
    segments : dict of str to list, or None
        By cluster, from the store.
    """

    estimator: Any
    ids: np.ndarray
    segments: Any

    @property
    def numbers(self):
        """Whether all columns have to be numbers: no step takes categories."""
        steps, _ = split_steps(self.estimator)
        return not any(hasattr(s, "transformers_") or hasattr(s, "categories_") for s in steps)


@contextmanager
def _of_option(flag):
    """Have the error of a file that is missing name the option."""
    try:
        yield
    except FileNotFoundError as error:
        path = "" if error.filename is None else f"There is no file {str(error.filename)!r}."
        raise FileNotFoundError(f"{flag}: {path or error}") from error


class Job:
    """What the commands share: options, memory budget, the store.

    Parameters
    ----------
    options : SimpleNamespace
    progress : Progress
    """

    def __init__(self, options, progress):
        self.options, self._progress = options, progress
        limit = options.memory_limit
        self.budget = Budget(None if limit is None else parse_size(limit))
        if (options.store is None) != (options.name is None):
            raise ValueError("A store and the name of the model in it go together: give both.")
        if options.store is None and options.model is None:
            raise ValueError("Which model? Give a file, --model, or --store and --name.")
        if options.store is not None and options.model is not None and options.command != "fit":
            raise ValueError("Which model? --store and --model are both given: leave out one.")
        for name in ("version", "note", "again", "any_scale"):
            if options.store is None and getattr(options, name, None):
                flag = name.replace("_", "-")
                raise ValueError(f"--{flag} is for a store: give --store and --name.")
        for name in ("output", "model", "candidate"):  # before the work, not after it
            folder = Path(getattr(options, name, None) or ".").parent
            if not folder.is_dir():
                raise FileNotFoundError(f"--{name}: there is no folder {str(folder)!r}.")
        self.store = None if options.store is None else SegmentStore(options.store)

    @contextmanager
    def rows(self, columns, data=None):
        """The rows of the data, of these columns; None: of those that are given, or all."""
        options = self.options
        columns = options.columns if columns is None else columns
        of_file = data is not None and "://" not in data
        with _of_option("DATA" if data is None else "--against"):
            source = open_source(
                data or options.data,
                None if of_file else options.query,
                options.delimiter,
                options.id_column,
                options.text_ids,
            )
        try:
            with_ids = options.command == "predict"
            rows = Rows(
                source, columns, options.id_column, with_ids, options.missing,
                self.budget.check, self._progress.bar,
            )  # fmt: skip
            yield rows
            if rows.n_skipped:
                say(
                    f"{rows.n_skipped:,} rows with missing values were left out.",
                    n_skipped=rows.n_skipped,
                )
        finally:
            source.close()

    def load(self):
        """The model of the options, a `Loaded`."""
        options = self.options
        if self.store is None:
            with _of_option("--model"):
                estimator, segments = load(options.model), None
        else:
            estimator = self.store.load(options.name, options.version)
            segments = self.store.segments(options.name, options.version)
        clusterer = split_steps(estimator)[1]
        ids = np.arange(len(clusterer.cluster_centers_))
        ids = getattr(clusterer, "cluster_ids_", ids)
        if segments is not None:
            order = np.argsort(segments["cluster"])
            segments = {name: [segments[name][i] for i in order] for name in segments}
        return Loaded(estimator, ids, segments)


def fit(job):
    """Fit, match with the version before, save or register."""
    options, store = job.options, job.store
    if options.missing == "keep":
        raise ValueError("fit has no use for missing values: --missing skip leaves rows out.")
    limits = (options.max_shift, options.max_share_change) != (None, None)
    if options.candidate is not None and not limits:
        raise ValueError("--candidate is for a refit above --max-shift or --max-share-change.")
    reference = _reference(job, limits)
    columns = options.columns
    if columns is None and reference is not None:
        columns = fitted_names_of(reference)
    with job.rows(columns) as rows:
        names = rows.columns
        said = named_columns(range(len(names)), names)
        say(f"The columns are {said}.", columns=names[:100], n_features=len(names))
        fitting = Fitting(rows, job.budget, options, reference)
        version = None if store is None else _same_version(store, options, fitting)
        if version is not None:
            say(f"Version {version} is of these rows and parameters: nothing to fit.")
        else:
            model = fitting.run()
            alignment = _align(model, reference, rows, options)
            if store is not None:
                version = _register(store, model, alignment, rows, options)
            elif alignment is not None:
                model = alignment.apply(model)
    if options.model is not None:
        model = model if store is None else store.load(options.name, version)
        say(f"The model is in {save(model, options.model)}.")


def _reference(job, limits):
    """The model before, or None."""
    options, store = job.options, job.store
    if options.reference is not None:
        if store is not None:
            raise ValueError("The store has the model before: leave out --reference.")
        with _of_option("--reference"):
            return load(options.reference)
    if store is not None and options.name in store.models()["name"]:
        return store.load(options.name)
    if limits and store is None and Path(options.model).exists():
        raise ValueError(
            "--max-shift and --max-share-change compare with the model before, which is replaced "
            f"here: give --reference {options.model} as well."
        )
    if limits:
        say("There is no model before: nothing to compare with.")
    if options.start == "previous":
        say("There is no model before: new starts.")
        options.start = "new"
    return None


def _same_version(store, options, fitting):
    """The latest version, if it is of the same rows and parameters; or None.

    A job that was killed after it had registered its version goes on from there.
    """
    if options.again or options.name not in store.models()["name"]:
        return None
    latest = store.history(options.name).rows()[-1]
    same = latest["data_fingerprint"] == fitting.fingerprint
    if same and without_init(latest["parameters"]) == without_init(fitting.parameters()):
        return latest["version"]
    return None


def _align(model, reference, rows, options):
    """The alignment with the model before, or None; DriftAbove if that is too far away."""
    if reference is None:
        return None
    sample = take_sample(rows.frames("Compare", numbers=True), options.random_state)
    alignment = align_clusters(model, reference, X=sample)
    print(alignment)
    names = ("id", "status", "shift", "share_change")
    columns = (np.asarray(alignment.drift[name]).tolist() for name in names)
    keys = ("segment_id", *names[1:])
    table = [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    try:
        require_within(table, options.max_shift, options.max_share_change)
    except DriftAbove:
        if options.candidate is not None:
            say(f"The refit is in {save(alignment.apply(model), options.candidate)}.")
        raise
    return alignment


def _register(store, model, alignment, rows, options):
    X = rows.frames("Register", numbers=True)
    version = store.register(options.name, model, X, note=options.note, alignment=alignment)
    say(f"Version {version} of {options.name!r} is registered.", version=version)
    print(store.segments(options.name, version))
    return version


def predict(job):
    """Write the segment of each record."""
    options = job.options
    if options.output is None and job.store is None:
        raise ValueError("Where to? Give a file, --output, or --store and --name.")
    if options.output is None and options.id_column is None:
        raise ValueError("The store keeps segments by record: give --id-column.")
    loaded = job.load()
    with job.rows(fitted_names_of(loaded.estimator)) as rows:
        blocks = rows.blocks("Predict", loaded.numbers)
        if options.output is None:
            table = job.store.assign(
                options.name, None, blocks, options.version, not options.any_scale
            )
            print(table)
            n_rows, place = sum(table["n_records"]), "the store"
        else:
            n_rows, place = _write_segments(loaded, blocks, options), options.output
    say(f"The segments of {n_rows:,} records are in {place}.", n_records=n_rows)


def _write_segments(loaded, blocks, options):
    n_rows = 0
    with open_table(options.output) as write:
        for ids, frame in blocks:
            labels, distances = labels_and_distances(loaded.estimator, frame)
            name = options.id_column or "row"
            ids = np.arange(n_rows, n_rows + len(frame)) if ids is None else ids
            columns = {name: ids, "segment_id": loaded.ids[labels]}
            if loaded.segments is not None:
                columns["segment"] = np.array(loaded.segments["name"], object)[labels]
            write(columns | {"distance": distances})
            n_rows += len(frame)
    return n_rows


def profile(job):
    """Say what each segment is."""
    options, loaded = job.options, job.load()
    with job.rows(fitted_names_of(loaded.estimator)) as rows:
        sample = take_sample(rows.frames("Profile", loaded.numbers), options.random_state)
        n_rows = rows.n_rows
    if len(sample) < n_rows:
        say(f"The profile is of a sample of {len(sample):,} of {n_rows:,} rows.")
    profiles = cluster_profiles(loaded.estimator, sample)
    if loaded.segments is not None:
        profiles = profiles.rename(dict(enumerate(loaded.segments["name"])))
    profiles = replace(profiles, clusters=loaded.ids[profiles.clusters])
    frame = profiles.to_frame().rename(columns={"cluster": "segment_id"})
    _show(profiles, options.output, {
        ".csv": partial(frame.to_csv, index=False),
        ".json": partial(frame.to_json, orient="records"),
        ".html": partial(frame.to_html, index=False),
    })  # fmt: skip


def drift(job):
    """Compare rows with the model in use."""
    options, loaded = job.options, job.load()
    columns = fitted_names_of(loaded.estimator)
    shares = before = None
    if options.against is not None:
        with job.rows(columns, options.against) as rows:
            before = spread_of(loaded.estimator, rows.frames("Before", loaded.numbers))
    elif loaded.segments is not None and None not in loaded.segments["share"]:
        shares = np.array(loaded.segments["share"])
    elif options.max_share_change is not None:
        raise ValueError("The shares before are not known: give --against, the data before.")
    with job.rows(columns) as rows:
        now = spread_of(loaded.estimator, rows.frames("Compare", loaded.numbers))
    centers = split_steps(loaded.estimator)[1].cluster_centers_
    names = {} if loaded.segments is None else {"name": loaded.segments["name"]}
    table = StoreTable(
        {"segment_id": loaded.ids.tolist(), **names} | drift_table(now, before, centers, shares)
    )
    _show(table, options.output, {
        ".csv": lambda: table.to_frame().to_csv(index=False),
        ".json": lambda: table.to_frame().to_json(orient="records"),
    })  # fmt: skip
    require_within(table.rows(), options.max_shift, options.max_share_change)


def _show(what, output, writers):
    """Print a result, or write it to a file by the ending of its name."""
    if output is None:
        print(what)
        return
    ending = Path(output).suffix.lower()
    if ending not in writers:
        raise ValueError(f"output should end in {', '.join(writers)}; got {output!r}.")
    write_text(output, writers[ending]())
    say(f"Written to {output}.")


COMMANDS = {"fit": fit, "predict": predict, "profile": profile, "drift": drift}
