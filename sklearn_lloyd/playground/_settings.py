"""What the page asks for, checked."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from sklearn_lloyd._init import INIT
from sklearn_lloyd.preprocessing import ClusterScaler

SCALERS = {
    "none": None,
    "standard": StandardScaler,
    "minmax": MinMaxScaler,
    "robust": RobustScaler,
    "cluster": ClusterScaler,
}
BY_HAND = "hand"
_LIMITS = {  # least, most
    "n_rows": (1, 5000),
    "n_clusters": (1, 30),
    "n_init": (1, 20),
    "seed": (0, 2**32 - 1),
}
_SAID = {
    "n_rows": "The number of rows",
    "n_clusters": "k, the number of clusters,",
    "n_init": "The number of starts",
    "seed": "The seed",
}


@dataclass(frozen=True)
class Settings:
    """All that a run depends on.

    Attributes
    ----------
    data : str
        The name of a data set, or the key of a table that was loaded.
    n_rows : int
        Of data sets that are made.
    scaling : str
        One of SCALERS.
    n_clusters, n_init, seed : int
    init : str
        A name, or BY_HAND.
    places : tuple of (float, float)
        The first centres by hand, as the picture places them.
    """

    data: str = "blobs"
    n_rows: int = 600
    scaling: str = "none"
    n_clusters: int = 5
    init: str = "k-means++"
    n_init: int = 1
    seed: int = 0
    places: tuple = ()

    @property
    def is_by_hand(self):
        return self.init == BY_HAND


def read_settings(given):
    """Settings from what the page sent.

    Raises
    ------
    ValueError
        Says which one does not fit.
    """
    if not isinstance(given, dict):
        raise ValueError("Settings should be a JSON object.")
    own = {name: given[name] for name in Settings.__dataclass_fields__ if name in given}
    for name, (least, most) in _LIMITS.items():
        value = own.get(name, least)
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{_SAID[name]} should be a whole number from {least} to {most:,}.")
    if not isinstance(own.get("data", ""), str):
        raise ValueError("data should be the name of a data set.")
    for name, known in (("scaling", [*SCALERS]), ("init", [*INIT, BY_HAND])):
        if own.get(name, known[0]) not in known:
            raise ValueError(f"{name} should be one of {', '.join(known)}.")
    own["places"] = _places(own.get("places", ()), own.get("n_clusters", Settings.n_clusters))
    settings = Settings(**own)
    if settings.is_by_hand and len(settings.places) != settings.n_clusters:
        raise ValueError(
            f"{len(settings.places)} of {settings.n_clusters} first centres are placed."
        )
    return settings


def _places(places, most):
    is_list = isinstance(places, list | tuple) and len(places) <= most
    if not is_list or not all(map(_is_place, places)):
        raise ValueError("places should be at most k pairs of numbers.")
    return tuple((float(x), float(y)) for x, y in places)


def _is_place(place):
    return (
        isinstance(place, list | tuple)
        and len(place) == 2
        and all(type(one) in (int, float) and isfinite(one) for one in place)
    )
