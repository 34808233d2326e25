"""Two fitted models side by side: their centres in one space, their sizes, their ids."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._pipeline import fitted_names_of, split_steps
from sklearn_lloyd.inspection._undo import CannotUndo, redo_steps, undo_steps

# Centres that are spread so many times as wide as the others are on another scale, unless most of
# them find a partner all the same. No segment is itself after that; a scaler that one of two
# models lacks makes it hundreds (of money, days), seldom less than this.
_OTHER_SCALE = 10.0


class Model(NamedTuple):
    """What the alignment reads of a fitted estimator.

    Attributes
    ----------
    steps : list of fitted transformers
    clusterer : estimator
    centers : ndarray of shape (n_clusters, n_features_seen), float64
    names : ndarray of str, or None
        Of the columns that the first step takes.
    n_columns : int or None
    """

    steps: list
    clusterer: Any
    centers: np.ndarray
    names: Any
    n_columns: int | None


def read_model(role, estimator):
    """Check one of the two estimators; `role` is what messages call it."""
    steps, clusterer = split_steps(estimator)
    check_is_fitted(clusterer, msg=f"`{role}` is a %(name)s that is not fitted: call fit first.")
    centers = getattr(clusterer, "cluster_centers_", None)
    if centers is None or not hasattr(clusterer, "predict"):
        raise TypeError(
            f"`{role}` ends in {type(clusterer).__name__}, which has no cluster_centers_ and "
            "predict to be compared by. Take a KMeans or MiniBatchKMeans, alone, at the end of "
            "a Pipeline or the best of a search."
        )
    centers = np.asarray(centers.toarray() if sparse.issparse(centers) else centers, np.float64)
    first = [*steps, clusterer][0]
    return Model(
        steps,
        clusterer,
        centers,
        fitted_names_of(estimator),
        getattr(first, "n_features_in_", None),
    )


def stable_ids(model):
    """The id of each cluster, and the first that was never given."""
    k = len(model.centers)
    ids = np.asarray(getattr(model.clusterer, "cluster_ids_", np.arange(k)), np.int64)
    if ids.shape != (k,):
        raise ValueError(
            f"The cluster_ids_ of `reference` are {ids.size}, but it has {k} clusters: it was "
            "fitted again after it got them. Align it with the model before."
        )
    return ids, int(getattr(model.clusterer, "next_cluster_id_", ids.max() + 1))


def own_sizes(model):
    """Rows of each cluster as the fit left them, float64; None where it did not."""
    labels = getattr(model.clusterer, "labels_", None)
    if labels is not None:
        return np.bincount(np.asarray(labels), minlength=len(model.centers)).astype(np.float64)
    counts = getattr(model.clusterer, "counts_", getattr(model.clusterer, "_counts", None))
    return None if counts is None or not np.sum(counts) else np.asarray(counts, np.float64)


def check_alike(new, reference):
    """Refuse models of other columns."""
    names, wanted = new.names, reference.names
    if names is not None and wanted is not None and list(names) != list(wanted):
        if sorted(names) == sorted(wanted):
            raise ValueError(
                "`new` and `reference` were fitted on the same features in another order: "
                f"{list(names)} and {list(wanted)}. Fit both on columns in one order."
            )
        more = sorted(set(names) - set(wanted)) or "none"
        fewer = sorted(set(wanted) - set(names)) or "none"
        raise ValueError(
            "`new` and `reference` were fitted on other features. Only in `new`: "
            f"{more}; only in `reference`: {fewer}."
        )
    a, b = new.n_columns, reference.n_columns
    if a is not None and b is not None and a != b:
        raise ValueError(
            f"`new` was fitted on {a} features, `reference` on {b}: they must be the same."
        )


def same_steps(new, reference):
    """Whether both clusterers see the same of a row."""
    if len(new.steps) != len(reference.steps):
        return False
    return all(map(_equal, new.steps, reference.steps))


def _equal(a, b):
    """Whether two objects that hold arrays are the same; False where that cannot be seen."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if sparse.issparse(a):
        return a.shape == b.shape and (a != b).nnz == 0
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(_equal, a.values(), b.values()))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    if hasattr(a, "get_params"):
        return _equal(vars(a), vars(b))
    return bool(a == b) or bool(a != a and b != b)  # NaN is not itself


def as_seen_by(reference, model):
    """The centres of a model as another one's clusterer sees them.

    Raises
    ------
    CannotUndo
        If there is no way back to the columns and there again.
    """
    if same_steps(model, reference):
        return model.centers
    columns, reasons = undo_steps(model.steps, model.centers)
    if not columns:
        raise CannotUndo(reasons)
    seen = redo_steps(reference.steps, columns)
    if seen.shape[1] != reference.centers.shape[1]:
        raise CannotUndo("the transformers of `reference` make other features of them")
    if not np.isfinite(seen).all():
        raise CannotUndo("a column that `reference` needs is left out by `new`")
    return seen


def original_centers(model):
    """Centres in the units of the columns, NaN where there is no way back; None if nowhere."""
    columns, _ = undo_steps(model.steps, model.centers)
    if not columns:
        return None
    nothing = np.full(len(model.centers), np.nan)
    return np.stack([v if isinstance(v, np.ndarray) else nothing for v in columns], axis=1)


def check_scale(seen, centers, n_kept):
    """Refuse centres that are on another scale, in the space of `centers`."""
    fewest = min(len(seen), len(centers))
    if n_kept >= min(2, fewest - 1) or not np.isfinite(seen).all():
        return
    a, b = _radius(seen), _radius(centers)
    if not (a and b) or 1.0 / _OTHER_SCALE <= a / b <= _OTHER_SCALE:
        return
    raise ValueError(
        f"The centres of `new` are spread {a / b:.3g} times as wide as those of `reference`, and "
        "hardly any is near one of them: they are on another scale. Fit both on rows in the same "
        "units; if rows were scaled before, give the pipelines that hold the scalers."
    )


def _radius(centers):
    """The median distance to the middle of the centres: a few far ones do not matter."""
    return np.median(np.linalg.norm(centers - np.median(centers, axis=0), axis=1))
