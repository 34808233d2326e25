"""How the kernels are compiled."""

from __future__ import annotations

from numba import njit
from numba.core.options import DefaultOptions

# For sums whose error bound allows for it. NaN and infinity keep their meaning.
_ANY_ORDER = {"contract", "reassoc", "nsz"}
# Numba counts the references of all arguments at every call, which takes longer than many a part
# of a kernel does. What makes no array can do without.
UNCOUNTED = {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}
# What takes the arguments from the interpreter and is compiled along with each function, though
# only kernels are called from there.
_PART = {"no_cpython_wrapper": True}


def _cached(function, **options):
    """Compile at the first call, and keep the machine code on disk where that is possible."""
    options = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, **options}
    try:
        return njit(function, cache=True, **options)
    except RuntimeError:  # no folder that can be written to
        return njit(function, **options)


def exact(function):
    """A kernel that rounds as its source says."""
    return _cached(function)


def any_order(function):
    """A kernel that makes no array, whose sums may be added in any order, with fused products."""
    return _cached(function, fastmath=_ANY_ORDER, **UNCOUNTED)


# Parts of kernels: no interpreter may call them.


def exact_part(function):
    """Part of a kernel, which rounds as its source says and makes no array."""
    return _cached(function, **UNCOUNTED, **_PART)


def exact_part_with_arrays(function):
    """As `exact_part`, but may make arrays."""
    return _cached(function, **_PART)


def any_order_part(function):
    """As `exact_part`, but sums may be added in any order, with fused products."""
    return _cached(function, fastmath=_ANY_ORDER, **UNCOUNTED, **_PART)


def inlined(function):
    """As `exact_part`, put in where it is called, but compiled only once."""
    return _cached(function, forceinline=True, **UNCOUNTED, **_PART)
