"""Connections and transactions on SQLite and PostgreSQL, and what their errors mean."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from sqlite3 import OperationalError
from threading import RLock
from weakref import finalize

from sklearn_lloyd._optional import import_optional
from sklearn_lloyd.tracking import _schema

_WRITES = "segment_store_writes"
# Words of the messages of SQLite, and what they mean here. The order counts.
_SQLITE = {
    "readonly": "The database is read-only",
    "unable to open": "The database is gone, or its folder is missing or may not be written to",
    "is locked": "Another process is writing to the database and has not finished in time",
    "not a database": "The file is not an SQLite database",
    "malformed": "The database file is damaged",
    "full": "The disk is full",
    "disk i/o": "The disk cannot be read or written",
    "no such table": "The tables of the store are gone",
    "already exists": "The database has a table or view of this name that is not of the store",
    "no such column": "The database has a table or view of this name that is not of the store",
}
# States of PostgreSQL, by their first letters.
_POSTGRESQL = {
    "25006": "The database is read-only",
    "42501": "The database user may not do this",
    "42P01": "The tables of the store are gone",
    "42P07": "The database has a table or view of this name that is not of the store",
    "42703": "The database has a table or view of this name that is not of the store",
    "55P03": "Another process is writing to this model and has not finished in time",
    "40": "Another process was in the way; try again",
    "53": "The database server has no memory, disk or connections left",
    "57": "The database server has ended the connection",
    "08": "The database server cannot be reached, or has refused or lost the connection",
}


class StoreError(RuntimeError):
    """The database of a :class:`SegmentStore` cannot do what was asked; the message says why."""


class Database:
    """One database, and its transactions.

    Parameters
    ----------
    url : str or sqlalchemy.engine.URL
    timeout : float
        Seconds to wait for others who write.
    upgrade : bool
        Whether to bring older tables to the present version.
    """

    def __init__(self, url, timeout, upgrade):
        self._sa = import_optional("sqlalchemy", extra="store")
        self._timeout = timeout
        self.url = self._checked(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._file = None
        # A database in memory is one connection, of one thread at a time.
        self._turn = RLock() if self.is_sqlite and self._in_memory() else nullcontext()
        self._engine = self._connected_engine()
        with self._told():
            self._prepare(upgrade)
        path = self.url.database
        if self.is_sqlite and not self._in_memory() and not path.startswith("file:"):
            self._file = Path(path).absolute()  # as SQLAlchemy has it

    def _checked(self, url):
        try:
            url = self._sa.make_url(url if isinstance(url, self._sa.URL) else str(url))
        except (self._sa.exc.ArgumentError, ValueError):
            raise ValueError(
                "url must be that of a database, such as 'sqlite:///segments.db' or "
                "'postgresql://user@host/database'."
            ) from None  # the cause tells the password
        if "@" in (url.host or ""):
            raise ValueError("url has more than one @: in a password it is written as %40.")
        if url.get_backend_name() not in ("sqlite", "postgresql", "postgres"):
            raise ValueError(
                f"url must be of SQLite or PostgreSQL; got {url.get_backend_name()!r}."
            )
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
            raise ValueError(f"url must be without a driver; got {url.drivername!r}.")
        return url

    def _in_memory(self):
        return self.url.database in (None, "", ":memory:")

    def _connected_engine(self):
        # A connection for each transaction: nothing is shared by threads or forked processes.
        pool = self._sa.pool.NullPool
        options = {}
        if self.is_sqlite:
            options = {"connect_args": {"timeout": self._timeout}}
            if self._in_memory():
                pool = self._sa.pool.StaticPool
                options["connect_args"]["check_same_thread"] = False
        try:
            engine = self._sa.create_engine(self.url, poolclass=pool, **options)
        except ImportError as error:
            raise ImportError(
                f"{error.name} is needed for this url and could not be imported. For PostgreSQL, "
                'install it with `pip install "psycopg[binary]"`.'
            ) from error
        if self.is_sqlite:
            self._sa.event.listen(engine, "connect", _set_up_sqlite)
            self._sa.event.listen(engine, "begin", _begin_sqlite)
            finalize(self, engine.dispose)  # a database in memory lives as long as the store
        return engine

    def _prepare(self, upgrade):
        """Make the tables if there are none, and check which version they are of."""
        with self._engine.connect() as connection:
            version = _schema.version_of(connection)
        if version is None and self.is_sqlite and not self._in_memory():
            # Others read while one writes. It stays so; a file system without shared memory keeps
            # its journal. An error: another process is doing it, or nobody may.
            with self._engine.connect() as connection, suppress(OperationalError):
                connection.connection.dbapi_connection.execute("PRAGMA journal_mode=WAL")
        if version is None or (upgrade and version < _schema.VERSION):
            with self._begun(writes=True) as connection:
                _schema.lock_schema(connection)
                version = _schema.version_of(connection)  # perhaps another process was faster
                if version is None:
                    _schema.create(connection)
                    version = _schema.VERSION
                elif version < _schema.VERSION and upgrade:
                    _schema.upgrade(connection, version)
                    version = _schema.VERSION
        self._require(version)

    def _require(self, version):
        if version > _schema.VERSION:
            raise StoreError(
                f"The tables of this store have version {version}, and this release of "
                f"sklearn-lloyd knows versions up to {_schema.VERSION}: install a newer release."
            )
        if version < _schema.VERSION:
            raise StoreError(
                f"The tables of this store have version {version}, and this release of "
                f"sklearn-lloyd needs {_schema.VERSION}. Make a copy of the database, then "
                "SegmentStore(url, upgrade=True) brings them there; older releases can no longer "
                "use them after that."
            )

    @contextmanager
    def reading(self):
        """A connection whose transaction sees one state of the database."""
        with self._begun(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self):
        """A connection in a transaction that is kept as a whole, or not at all.

        On SQLite no other one writes until it ends.
        """
        with self._begun(writes=True) as connection:
            yield connection

    @contextmanager
    def connected(self):
        """A connection without transaction, for a temporary table.

        Errors of other databases that rows are read from meanwhile stay what they are.
        """
        self._require_file()
        with self._turn:
            with self._told():
                connection = self._engine.connect()
            with connection:
                yield connection

    @contextmanager
    def transaction(self, connection, writes):
        """A transaction on a connection of `connected`."""
        connection.execution_options(**{_WRITES: writes})
        with self._told(), connection.begin():
            if not self.is_sqlite:
                wait = {"wait": f"{max(1, round(self._timeout * 1000))}ms"}
                how = "SELECT set_config('lock_timeout', :wait, true)"
                connection.execute(self._sa.text(how), wait)
            yield connection

    @contextmanager
    def _begun(self, writes):
        with self.connected() as connection, self.transaction(connection, writes):
            yield connection

    def _require_file(self):
        # SQLite makes a new one where there is none, and the store would be empty.
        if self._file is not None and not self._file.exists():
            raise StoreError(f"The database {str(self._file)!r} is gone.")

    @contextmanager
    def _told(self):
        """Have errors of the database say what they mean."""
        try:
            yield
        except (self._sa.exc.DBAPIError, self._engine.dialect.dbapi.Error) as error:
            cause = getattr(error, "orig", error)
            said = str(cause).strip()
            where = f": {self.url.database!r}" if self.is_sqlite else ""
            raise StoreError(f"{self._meaning(cause, said)}{where} ({said}).") from error

    def _meaning(self, error, said):
        if self.is_sqlite:
            found = (means for words, means in _SQLITE.items() if words in said.lower())
        else:
            # Of a connection that there is not, nothing more is told.
            lost = isinstance(error, self._engine.dialect.dbapi.OperationalError)
            state = getattr(error, "sqlstate", None) or ("08" if lost else "")
            found = (means for first, means in _POSTGRESQL.items() if state.startswith(first))
        return next(found, "The database cannot do this")


def _set_up_sqlite(connection, record):
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection):
    # One that writes takes the lock at once: if it read first, another one could write between.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
