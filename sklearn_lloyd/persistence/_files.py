"""Archives in files."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from shutil import copymode

from sklearn_lloyd.persistence._archive import dump_bytes, load_bytes
from sklearn_lloyd.persistence._container import TAIL, ArchiveError, require_mark


def save(estimator, path):
    """Store an estimator in one file, without pickle.

    The file is a zip of a JSON text and of arrays in NumPy's format, with a checksum over all of
    it. It holds data alone: to load it runs no code of it. The same model gives the same bytes.

    Parameters
    ----------
    estimator : estimator
        :class:`~sklearn_lloyd.KMeans`, :class:`~sklearn_lloyd.MiniBatchKMeans`, the transformers
        of `sklearn_lloyd.preprocessing`, a
        :class:`~sklearn_lloyd.model_selection.NClustersSearch`; or a Pipeline, FeatureUnion or
        ColumnTransformer of these and of scikit-learn's scalers, encoders, imputers and PCA.
        Fitted or not.

    path : str or path-like
        An existing file is replaced once the new one is complete on the disk. If that fails, the
        old one is as it was.

    Returns
    -------
    path : pathlib.Path
        Where it is.

    Raises
    ------
    TypeError
        If something in the estimator is not data, or of another type: functions, callbacks,
        RandomState instances, other estimators. The message says where it is, and what to do.

    ValueError
        If the attributes of the estimator do not fit each other.

    OSError
        If the file cannot be written.

    See Also
    --------
    load : The way back.
    trusted_types : For other estimators, by skops.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.persistence import load, save
    >>> model = KMeans(n_clusters=2, random_state=0).fit([[0.0], [1.0], [9.0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(model, Path(folder, "model.zip"))
    ...     again = load(path)
    >>> again.predict([[0.2], [8.0]]) == model.predict([[0.2], [8.0]])
    array([ True,  True])
    """
    data = dump_bytes(estimator)
    with replacing(path, f".{token_hex(8)}.part") as file:
        file.write(data)
    return Path(path)


def load(path):
    """Load an estimator that :func:`save` has stored.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    estimator : estimator
        It predicts bitwise what the stored one did.

    Raises
    ------
    ArchiveError
        If the file is damaged or cut, was made by something else, has a newer schema than this
        release knows, or holds what does not belong into one.

    OSError
        If it cannot be read.

    Notes
    -----
    No type is made that is not on a fixed list, no function is called that the file names, and
    nothing is written to the disk. A checksum tells of damage, not of who made the file.

    A model of an older release of this package is loaded as it was. Of scikit-learn's estimators
    that were stored by another version an `InconsistentVersionWarning` says so, as when they are
    unpickled.

    Examples
    --------
    See :func:`save`. What is no archive:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_lloyd.persistence import load
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = Path(folder, "model.zip").write_text("a page that says: not found")
    ...     load(Path(folder, "model.zip"))
    Traceback (most recent call last):
    sklearn_lloyd.persistence...ArchiveError: ... this is no archive of sklearn-lloyd, ...
    """
    with open(path, "rb") as file:
        try:
            # Before a large file of another kind is read whole.
            file.seek(-min(TAIL, os.fstat(file.fileno()).st_size), os.SEEK_END)
            require_mark(file.read(TAIL))
            file.seek(0)
            return load_bytes(file.read())
        except ArchiveError as error:
            raise ArchiveError(f"{os.fspath(path)}: {error}") from error


@contextmanager
def replacing(path, part_name):
    """Give a file to write, which takes the place of another once it is complete on the disk.

    If that fails, the old one is as it was.

    Parameters
    ----------
    path : str or path-like
    part_name : str
        What it is called meanwhile, in the same folder. A name for each process lets several of
        them write at once; with one name for all, what a killed process left is written over.
    """
    target = Path(path).resolve()  # a link stays one
    part = target.with_name(part_name)
    try:
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            copymode(target, part)
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder):
    """Make sure that the new name is on the disk too, where a system can."""
    if os.name != "posix":
        return
    with suppress(OSError):  # of a folder that may not be listed; of some network drives
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
