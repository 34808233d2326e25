"""An estimator as the bytes of an archive, and back."""

from __future__ import annotations

import platform

import numpy as np
import scipy
import sklearn
from sklearn.base import BaseEstimator

from sklearn_lloyd._version import __version__
from sklearn_lloyd.persistence._codec import Decoder, Encoder
from sklearn_lloyd.persistence._container import ArchiveError, pack, unpack


def dump_bytes(estimator):
    """The archive of an estimator: the same bytes for the same model.

    Raises
    ------
    TypeError
        If it, or something in it, cannot be stored without pickle.
    ValueError
        If its attributes do not fit each other.
    """
    if not isinstance(estimator, BaseEstimator):
        raise TypeError(f"expected an estimator, got {type(estimator).__name__}")
    encoder = Encoder()
    node = encoder.encode(estimator, type(estimator).__name__)
    versions = {
        "sklearn-lloyd": __version__,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "python": platform.python_version(),
    }
    return pack({"versions": versions, "estimator": node}, encoder.arrays)


def load_bytes(data):
    """The estimator of an archive, which is bytes or like them.

    Raises
    ------
    ArchiveError
        If the bytes are not what `dump_bytes` makes.
    """
    data = bytes(data)
    try:
        manifest, arrays = unpack(data)
        estimator = Decoder(arrays).decode(manifest["estimator"])
    except ArchiveError:
        raise
    # What a file by an attacker can lead to has no end: each error means that it does not fit.
    except Exception as error:
        raise ArchiveError(
            f"the file is not as save makes it ({type(error).__name__}: {error})"
        ) from error
    if not isinstance(estimator, BaseEstimator):
        raise ArchiveError(f"the file holds a {type(estimator).__name__}, not an estimator")
    return estimator
