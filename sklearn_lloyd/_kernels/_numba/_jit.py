"""How the kernels are compiled."""

from __future__ import annotations

from numba import njit

# For sums whose error bound allows for it. NaN and infinity keep their meaning.
_ANY_ORDER = {"contract", "reassoc", "nsz"}


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


def any_order(function):
    """A kernel whose sums may be added in any order, with fused products."""
    return _cached(function, fastmath=_ANY_ORDER)


def inlined(function):
    """Part of an `exact` kernel, put in where it is called, but compiled only once."""
    return _cached(function, forceinline=True)
