"""The archive as bytes: a zip of one JSON text and of arrays, with a checksum over all of it.

Members are stored, not compressed: what they declare and what they hold is never more than the
file itself, so that no small file can fill the memory. Nothing is ever extracted to disk.
"""

from __future__ import annotations

import json
from hashlib import sha256
from io import BytesIO
from math import prod
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np

FORMAT = "sklearn-lloyd"
SCHEMA = 1
# The zip's comment, the last bytes of the file: this, and the SHA-256 of all that is before it.
_MARK = b"sklearn-lloyd archive sha256:"
_N_DIGITS = 64
TAIL = len(_MARK) + _N_DIGITS
_MANIFEST = "manifest.json"
_MOST_ARRAYS = 10_000
# JSON takes up to about 30 times its size in memory; what is long belongs in arrays.
_LARGEST_MANIFEST = 1 << 24


class ArchiveError(ValueError):
    """A file that cannot be loaded: damaged, hostile, of a newer release or of unknown types.

    Examples
    --------
    >>> from sklearn_lloyd.persistence import ArchiveError
    >>> issubclass(ArchiveError, ValueError)
    True
    """


def pack(manifest, arrays):
    """The bytes of an archive; the same for the same content.

    Parameters
    ----------
    manifest : dict
        What JSON can hold.
    arrays : list of ndarray
        Not of objects.

    Raises
    ------
    ValueError
        If it is more than `unpack` would take.
    """
    text = json.dumps({"format": FORMAT, "schema": SCHEMA, **manifest}, allow_nan=False, indent=1)
    text = text.encode()
    if len(text) > _LARGEST_MANIFEST or len(arrays) > _MOST_ARRAYS:
        raise ValueError(
            f"The model has {len(arrays)} arrays and {len(text)} bytes beside them; an archive "
            f"takes {_MOST_ARRAYS} and {_LARGEST_MANIFEST}. Encoders with very many categories "
            "make it so: store those with skops or joblib."
        )
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        archive.comment = _MARK + b"0" * _N_DIGITS
        archive.writestr(_member(_MANIFEST), text)
        for number, array in enumerate(arrays):
            content = BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(_member(_array_name(number)), content.getbuffer())
    data = buffer.getbuffer()
    data[-_N_DIGITS:] = _digest(data)
    return data.tobytes()


def unpack(data):
    """The manifest of an archive, and its arrays.

    Returns
    -------
    manifest : dict
    arrays : list of ndarray

    Raises
    ------
    ArchiveError
        If this is no archive, of a newer schema, or not as `pack` made it.
    """
    require_mark(data[-TAIL:])
    if data[-_N_DIGITS:] != _digest(memoryview(data)):
        raise ArchiveError(
            "the checksum is wrong: the file is damaged. Take a copy, or save again"
        )
    with ZipFile(BytesIO(data)) as archive:
        members = archive.infolist()
        names = [member.orig_filename for member in members]  # not cut at a zero byte
        if names[:1] != [_MANIFEST]:
            raise ArchiveError(f"the first member is not {_MANIFEST}")
        _require_stored(members[:1], _LARGEST_MANIFEST)
        manifest = _manifest(archive.read(members[0]))
        _require_stored(members, len(data))
        expected = [_MANIFEST, *map(_array_name, range(len(names) - 1))]
        if names != expected or len(names) > _MOST_ARRAYS + 1:
            wrong = [name for name, right in zip(names, expected, strict=True) if name != right]
            raise ArchiveError(f"members are renamed, twice there or too many: {wrong[:3]}")
        return manifest, [_array(archive.read(each), each.filename) for each in members[1:]]


def is_allowed(dtype):
    """Whether arrays of that type may be members: numbers, texts, times, and records of these."""
    kinds = [field[0] for field in dtype.fields.values()] if dtype.fields else [dtype]
    return all(kind.kind in "biufcSUmM" and kind.itemsize > 0 for kind in kinds)


def require_mark(tail):
    """Raise an ArchiveError unless these are the last bytes of an archive that was not cut."""
    if len(tail) < TAIL or not tail.startswith(_MARK):
        raise ArchiveError(
            "this is no archive of sklearn-lloyd, or its end is missing (a copy that was cut)"
        )


def _digest(data):
    return sha256(data[:-_N_DIGITS]).hexdigest().encode()


def _array_name(number):
    return f"{number}.npy"


def _member(name):
    member = ZipInfo(name)  # always of 1980
    member.create_system, member.external_attr = 3, 0o644 << 16
    return member


def _require_stored(members, most):
    """Raise an ArchiveError if members are compressed, or have more than so many bytes."""
    for member in members:
        if member.compress_type != ZIP_STORED or member.compress_size != member.file_size:
            raise ArchiveError(f"{member.filename!r} is compressed")
    if (declared := sum(member.file_size for member in members)) > most:
        raise ArchiveError(
            f"members from {members[0].filename!r} on declare {declared} bytes, more than {most}"
        )


def _manifest(text):
    manifest = json.loads(text, parse_constant=_refuse_constant)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArchiveError("this is no archive of sklearn-lloyd")
    schema = manifest.get("schema")
    if type(schema) is not int or schema < 1:
        raise ArchiveError(f"schema {schema!r} is no version")
    if schema > SCHEMA:
        raise ArchiveError(
            f"the file has schema {schema}, this release knows up to {SCHEMA}: install a newer "
            "sklearn-lloyd"
        )
    return manifest


def _refuse_constant(name):
    raise ArchiveError(f"{_MANIFEST} has {name}, which is not JSON")


def _array(content, name):
    """The array of an npy member, in the byte order of this machine, and free to be written to."""
    stream = BytesIO(content)
    version = np.lib.format.read_magic(stream)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ArchiveError(f"{name!r} has npy version {version}")
    shape, is_fortran, dtype = readers[version](stream)
    if not is_allowed(dtype):
        raise ArchiveError(f"{name!r} is of type {dtype}, which is not allowed")
    n_bytes = len(content) - stream.tell()
    # No length is beyond the bytes, lest a loop over an array without numbers has no end.
    sound = all(0 <= length <= len(content) for length in shape)
    if not sound or prod(shape) * dtype.itemsize != n_bytes:
        raise ArchiveError(f"{name!r} has {n_bytes} bytes, not those of {dtype} of {shape}")
    flat = np.frombuffer(content, dtype, prod(shape), stream.tell())
    array = flat.reshape(shape, order="F" if is_fortran else "C")
    return array.astype(dtype.newbyteorder("="), order="K", copy=True)
