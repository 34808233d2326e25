"""The store of segments: models with versions, names and the segments of records, in SQL."""

from __future__ import annotations

from functools import partial
from getpass import getuser
from numbers import Real

from sklearn_lloyd._cluster_names import check_names, check_text, own_names
from sklearn_lloyd.persistence._archive import dump_bytes, load_bytes
from sklearn_lloyd.tracking import _assigning, _reading, _registering
from sklearn_lloyd.tracking._blocks import record_blocks, rows_of_block, table_or_blocks
from sklearn_lloyd.tracking._continuing import first_match, match_segments, with_ids
from sklearn_lloyd.tracking._database import Database, StoreError
from sklearn_lloyd.tracking._description import clusterer_of, describe
from sklearn_lloyd.tracking._ranges import RangeReader, require_same_scale
from sklearn_lloyd.tracking._record_ids import check_ids, require_kind
from sklearn_lloyd.tracking._result import StoreTable
from sklearn_lloyd.tracking._schema import lock_schema, now

_TRIES = 5  # of a registration that others come before


class SegmentStore:
    """Models, their segments and the segments of records, in an SQL database.

    A model has a name and versions 1, 2, ... Its segments have ids that are never given to another
    segment, and names; both are carried from version to version by :func:`align_clusters`. Each
    record of a model, such as a customer, is in one segment. Everything can be read from SQL, see
    the guide :doc:`/guide/production_store`.

    Each call is one transaction: it is kept as a whole or not at all, also if the process is
    killed. Several processes can use one store.

    Parameters
    ----------
    url : str or sqlalchemy.engine.URL, default="sqlite:///segments.db"
        The database: SQLite or PostgreSQL (``"postgresql://user@host/database"``, which needs
        psycopg). Tables are made if there are none, and so is the file of SQLite: at a wrong path
        there is a new store without models.
    who : str, default=None
        Who is recorded as the one who changes something; None: the user that runs the process.
    timeout : float, default=60.0
        Seconds to wait for another process that is writing.
    upgrade : bool, default=False
        Whether to bring the tables of an older release to the present version. Older releases can
        no longer use them then.

    Attributes
    ----------
    url : str
        The database, without its password.
    who : str
        Who is recorded.

    Raises
    ------
    StoreError
        If the database cannot be used: it is gone, read-only and empty, or of another version.
    ImportError
        If SQLAlchemy is missing, which ``pip install "sklearn-lloyd[store]"`` installs.

    See Also
    --------
    align_clusters : How the clusters of a version become segments of the version before.

    Examples
    --------
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.tracking import SegmentStore
    >>> X = [[1.0], [2.0], [8.0], [9.0]]
    >>> store = SegmentStore("sqlite://")  # in memory
    >>> store.register("visits", KMeans.from_centers([[1.5], [8.5]]), X, names=["Rare", "Regular"])
    1
    >>> store.assign("visits", ["ann", "bob", "cem", "dee"], X)
    segment_id  name     n_records
    0           Rare     2
    1           Regular  2
    >>> store.assignments("visits", ["bob"])["segment"]
    ['Rare']
    """

    def __init__(self, url="sqlite:///segments.db", who=None, timeout=60.0, upgrade=False):
        if not isinstance(timeout, Real) or isinstance(timeout, bool) or not 0 < timeout < 1e6:
            raise ValueError(f"timeout must be a number of seconds above 0; got {timeout!r}.")
        self.who = _user() if who is None else check_text(who, "who")
        self._database = Database(url, timeout, upgrade)
        url = self._database.url.difference_update_query(["password", "sslpassword"])
        self.url = url.render_as_string(hide_password=True)

    def __repr__(self):
        return f"SegmentStore({self.url!r})"

    def register(self, name, estimator, X=None, names=None, note="", alignment=None):
        """Add a version of a model; the first one makes the model.

        Clusters that match a segment of the version before are that segment, with its id and name.
        Others are new segments.

        Parameters
        ----------
        name : str
            Of the model.
        estimator : fitted estimator
            A k-means, or a pipeline or search that ends in one, of a type that
            :func:`sklearn_lloyd.persistence.save` takes.
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features), or iterable, \
                default=None
            Rows as the estimator takes them, usually those that it was fitted to; or an iterable
            of blocks of them, read once, of which `alignment` needs none. From these are
            sizes, drift, the fingerprint, and the ranges by which :meth:`assign` knows rows that
            are scaled otherwise. None: without these.
        names : list or dict, default=None
            Names of segments by cluster, as `predict` gives it. Those that it does not have keep
            the name that they had; new ones are called by the `cluster_names_` of the clusterer,
            or "Segment" and their id.
        note : str, default=""
            What to remember of this version.
        alignment : Alignment, default=None
            Of the estimator with the latest version, as :meth:`load` gives that, if it should not
            be the one by centres.

        Returns
        -------
        version : int

        Raises
        ------
        TypeError
            If the estimator is no k-means, or of a type that cannot be saved.
        NotFittedError
            If it is not fitted.
        ValueError
            If two segments would have the same name; if the estimator takes other features than
            the version before, or was fitted to rows of another scale; if `alignment` is of other
            models.
        StoreError
            If the database cannot be written to.
        """
        name, note = check_text(name, "name"), check_text(note, "note", True)
        clusterer = clusterer_of(estimator)
        clusters = range(len(clusterer.cluster_centers_))
        names = check_names(names, clusters)
        held = {i: text for i, text in enumerate(own_names(clusterer, len(clusters))) if text}
        X = None if X is None else table_or_blocks(X)
        described = describe(estimator, X)
        X = X if hasattr(X, "shape") else None  # blocks are read once
        details = {"archive": dump_bytes(estimator), "note": note, "created_by": self.who}
        for _ in range(_TRIES):
            before = self._version_or_none(name)
            if before is None:
                matched = first_match(estimator)
            else:
                matched = match_segments(before, estimator, X, alignment)
            with self._database.writing() as connection:
                lock_schema(connection)  # two may make the same model
                model = _reading.find_model(connection, name, lock=True)
                if (model and model.current_version) != (before and before.version):
                    continue  # another version came between: its segments are to be continued
                created = details | {"created_at": now()}
                return _registering.insert_version(
                    connection, model, name, described, matched, names, held, created
                )
        raise StoreError(f"Other processes register versions of {name!r} all the time; try again.")

    def load(self, name, version=None):
        """The fitted estimator of a version.

        Parameters
        ----------
        name : str
            Of the model.
        version : int, default=None
            Which one; None: the latest.

        Returns
        -------
        estimator : fitted estimator
            Its clusterer has `cluster_ids_`: ``cluster_ids_[labels]`` are the segments of the
            labels that `predict` gives; and `cluster_names_`, if any was named.

        Raises
        ------
        LookupError
            If there is no such model or version.
        """
        with self._database.reading() as connection:
            stored = _reading.read_version(connection, name, version)
        return with_ids(load_bytes(stored.archive), stored)

    def assign(self, name, ids, X, version=None, check_scale=True):
        """Put records into the segments of their rows, all of them in one transaction.

        A record that was in another segment is moved; records that are not given stay where they
        are. Rows are read block by block, so that memory does not grow with their number, and
        others can read and write until all of them are predicted.

        Parameters
        ----------
        name : str
            Of the model.
        ids : array-like of shape (n_samples,), str or None
            One id for each row: whole numbers, text or UUIDs, all of the one kind that the model
            has had from the first assignment on. Or the name of the column of X that holds them.
            None: X yields pairs of ids and rows. Ids and rows are paired by position; if both are
            of pandas, their indexes must be equal.
        X : table or iterable
            Rows as the registered estimator takes them: an array, a sparse matrix or a frame, or
            an iterable that yields such blocks, each read once.
        version : int, default=None
            Which version assigns; None: the latest.
        check_scale : bool, default=True
            Whether to refuse rows of quite another scale than those that the version was
            registered with: a column that is some ten times as large or as small, one that is
            wholly above or below the former values, most columns with another spread. The rule is
            in the guide :doc:`/guide/production_store`. Of fewer than 30 rows nothing is said.

        Returns
        -------
        table : StoreTable
            How many of these records are in each segment.

        Raises
        ------
        LookupError
            If there is no such model or version.
        ValueError, TypeError
            If an id is missing, occurs twice or is of another kind; if there are more or fewer
            ids than rows, or both have an index and these differ; if the rows have other features
            or another scale.
        StoreError
            If the database cannot be written to, or another version was registered meanwhile.
        """
        with self._database.reading() as connection:
            stored = _reading.read_version(connection, name, version)
            expected = _reading.read_ranges(connection, stored)
        estimator = load_bytes(stored.archive)
        n_features = len(expected) or clusterer_of(estimator).n_features_in_
        blocks = record_blocks(ids, X, rows_of_block(n_features, len(stored.segment_ids)))
        database, ranges = self._database, RangeReader([column.feature for column in expected])
        reader = ranges if expected and check_scale else None
        with database.connected() as connection:
            begin = partial(database.transaction, connection, writes=False)
            staged = _assigning.stage(connection, begin, blocks, estimator, stored, reader)
            if reader is not None:
                require_same_scale(expected, ranges.ranges(), ranges.n_rows)
            with database.transaction(connection, writes=True):
                model = _reading.require_model(connection, name, lock=True)
                if version is None and model.current_version != stored.version:
                    raise StoreError(
                        f"Version {model.current_version} of {name!r} was registered while rows "
                        f"were assigned by version {stored.version}; nothing was written. Assign "
                        "again."
                    )
                require_kind(staged.kind, model.id_kind)
                _assigning.write_staged(connection, stored, staged, self.who)
        segments = self.segments(name, stored.version)
        counts = [staged.counts[cluster] for cluster in segments["cluster"]]
        named = {key: segments[key] for key in ("segment_id", "name")}
        return StoreTable(named | {"n_records": counts})

    def rename(self, name, names=None, notes=None):
        """Give segments of a model other names and notes.

        Parameters
        ----------
        name : str
            Of the model.
        names : dict of int to str, default=None
            New names by segment id. Segments that it does not have keep theirs.
        notes : dict of int to str, default=None
            New notes by segment id.

        Returns
        -------
        segments : StoreTable
            As of :meth:`segments`.

        Raises
        ------
        LookupError
            If there is no such model or segment.
        ValueError
            If two segments would have the same name, or one is empty.
        """
        with self._database.writing() as connection:
            model = _reading.require_model(connection, name, lock=True)
            _registering.change_names(
                connection, model, {} if names is None else names, {} if notes is None else notes
            )
        return self.segments(name)

    def models(self):
        """The models of the store.

        Returns
        -------
        models : StoreTable
            One row for each model.
        """
        with self._database.reading() as connection:
            return _reading.list_models(connection)

    def segments(self, name, version=None):
        """The segments of a version: ids, names, notes and sizes.

        Parameters
        ----------
        name : str
            Of the model.
        version : int, default=None
            Which one; None: the latest.

        Returns
        -------
        segments : StoreTable
            One row for each segment. `cluster` is what `predict` of the estimator gives; `n_rows`
            and `share` are of the rows that the version was registered with.
        """
        with self._database.reading() as connection:
            return _reading.list_segments(connection, name, version)

    def centroids(self, name, version=None, space="original"):
        """The centroids of a version.

        Parameters
        ----------
        name : str
            Of the model.
        version : int, default=None
            Which one; None: the latest.
        space : {'original', 'model'}, default='original'
            In the units of the data, or as the clusterer sees it.

        Returns
        -------
        centroids : StoreTable
            One row for each segment, one column for each feature; None where a step of the
            pipeline cannot be undone.
        """
        if space not in ("original", "model"):
            raise ValueError(f"space must be 'original' or 'model'; got {space!r}.")
        with self._database.reading() as connection:
            return _reading.list_centroids(connection, name, version, space)

    def history(self, name):
        """The versions of a model.

        Parameters
        ----------
        name : str
            Of the model.

        Returns
        -------
        history : StoreTable
            One row for each version, with what became of the segments of the one before.
        """
        with self._database.reading() as connection:
            return _reading.list_versions(connection, name)

    def drift(self, name, version=None):
        """What became of each segment from version to version.

        Parameters
        ----------
        name : str
            Of the model.
        version : int, default=None
            Only from the version before to this one; None: all.

        Returns
        -------
        drift : StoreTable
            One row for each version and segment.
        """
        with self._database.reading() as connection:
            return _reading.list_drift(connection, name, version)

    def runs(self, name):
        """The assignments of records that were made.

        Parameters
        ----------
        name : str
            Of the model.

        Returns
        -------
        runs : StoreTable
            One row for each call of :meth:`assign`.
        """
        with self._database.reading() as connection:
            return _reading.list_runs(connection, name)

    def assignments(self, name, ids=None):
        """The segments that records are in.

        Parameters
        ----------
        name : str
            Of the model.
        ids : array-like, default=None
            Of which records, in which order; those that the model does not know are left out.
            None: all of them, ordered by id.

        Returns
        -------
        assignments : StoreTable
            One row for each record; ids as text.
        """
        with self._database.reading() as connection:
            texts = None
            if ids is not None:
                texts, kind = check_ids(ids)
                require_kind(kind, _reading.require_model(connection, name).id_kind)
            return _reading.list_assignments(connection, name, texts)

    def _version_or_none(self, name):
        with self._database.reading() as connection:
            if _reading.find_model(connection, name) is None:
                return None
            return _reading.read_version(connection, name, None)


def _user():
    try:
        return getuser()
    except (OSError, KeyError, ImportError):  # a number without name, as in containers
        return "unknown"
