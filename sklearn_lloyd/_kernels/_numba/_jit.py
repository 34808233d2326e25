"""How the kernels are compiled."""

from __future__ import annotations

from numba import njit
from numba.core.options import DefaultOptions

# For sums whose error bound allows for it. NaN and infinity keep their meaning.
_ANY_ORDER = {"contract", "reassoc", "nsz"}
# Numba counts the references of all arguments at every call, which takes longer than many a part
# of a kernel does. What makes no array can do without.
UNCOUNTED = {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}


def _cached(function, **options):
    """Compile at the first call, and keep the machine code on disk where that is possible."""
    options = {"nogil": True, "error_model": "numpy", **options}
    try:
        return njit(function, cache=True, **options)
    except RuntimeError:  # no folder that can be written to
        return njit(function, **options)


def exact(function):
    """A kernel that rounds as its source says."""
    return _cached(function)


def exact_part(function):
    """Part of a kernel, which rounds as its source says and makes no array."""
    return _cached(function, **UNCOUNTED)


def any_order(function):
    """As `exact_part`, but sums may be added in any order, with fused products."""
    return _cached(function, fastmath=_ANY_ORDER, **UNCOUNTED)


def inlined(function):
    """As `exact_part`, put in where it is called, but compiled only once."""
    return _cached(function, forceinline=True, **UNCOUNTED)
