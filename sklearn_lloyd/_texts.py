"""Raw texts as X: what a pipeline takes whose first step makes numbers of texts."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._columns import column_of, is_frame, is_missing

_MOST_LISTED = 5  # rows in a message


def is_vectorizer(step):
    """Whether a step splits texts into terms, as those of scikit-learn do."""
    return hasattr(step, "build_analyzer")


def as_given(steps, X):
    """Texts as an array of one dimension; anything else as it is.

    A step that splits texts would take a frame for the names of its columns. So it gets the
    column of a frame or an array that has only one.

    Parameters
    ----------
    steps : list of fitted transformers
        The first of which takes X.
    X : object
        What the caller gave.

    Returns
    -------
    X : object
        An ndarray of shape (n_samples,), object, of texts.

    Raises
    ------
    ValueError
        If X is one text, has more than one column where texts are needed, or holds something
        that is no text; it names the rows.
    """
    step = steps[0] if steps else None
    shape = getattr(X, "shape", None)
    if not is_vectorizer(step):
        is_text = shape is None or len(shape) == 1
        return _array(X) if step is not None and is_text and _first_is_text(X) else X
    if isinstance(X, str | bytes):
        raise ValueError("X is one text. Give a list of texts, one for each row.")
    if is_frame(X) or (shape is not None and len(shape) == 2):
        if shape[1] != 1:
            raise ValueError(
                f"{type(step).__name__} takes texts, and X has {shape[1]} columns. Give the "
                "column that holds the texts; or put the step into a ColumnTransformer."
            )
        X = column_of(X, 0)
    texts = _array(X)
    if isinstance(step.analyzer, str) and step.input == "content":
        require_texts(texts, "X")
    return texts


def require_texts(texts, called):
    """Refuse values that are no texts, by their rows, and texts that are all empty.

    Raises
    ------
    ValueError
    """
    if not texts.size:
        raise ValueError(f"{called} has no texts.")
    missing = [i for i, text in enumerate(texts) if is_missing(text)]
    if missing:
        raise ValueError(
            f"{called} has missing values, in {_rows(missing)}. Leave these rows out, or "
            "put the empty text '' in their place."
        )
    wrong = [i for i, text in enumerate(texts) if not isinstance(text, str | bytes)]
    if wrong:
        kind = type(texts[wrong[0]]).__name__
        raise ValueError(
            f"{called} must hold texts, and has other values in {_rows(wrong)}: the first is of "
            f"type {kind}. Make them str, or leave these rows out."
        )
    if not any(text.strip() for text in texts):
        raise ValueError(f"The texts of {called} are all empty: there is nothing to go by.")


def texts_of(values, n_samples, called):
    """What describes the rows, as texts of shape (n_samples,).

    Raises
    ------
    ValueError
        If there are fewer or more than rows, or one is no text.
    """
    if isinstance(values, str | bytes):
        raise ValueError(f"{called} is one text. Give one for each row of X.")
    if is_frame(values) or len(getattr(values, "shape", ())) == 2:
        if values.shape[1] != 1:
            raise ValueError(f"{called} has {values.shape[1]} columns. Give one of them.")
        values = column_of(values, 0)
    texts = _array(values)
    if len(texts) != n_samples:
        raise ValueError(f"{called} has {len(texts)} texts, but X has {n_samples} rows.")
    require_texts(texts, called)
    return texts


def listed_rows(rows):
    """Positions of rows in a sentence."""
    more = f" and {len(rows) - _MOST_LISTED} more" * (len(rows) > _MOST_LISTED)
    return ", ".join(map(str, rows[:_MOST_LISTED])) + more


def _rows(rows):
    return f"{'rows' if len(rows) > 1 else 'row'} {listed_rows(rows)}"


def _array(X):
    """Any values, one for each row: lists stay lists."""
    X = X.to_pylist() if hasattr(X, "to_pylist") else X  # of Arrow
    values = np.empty(len(X), dtype=object)
    for i, value in enumerate(X):
        values[i] = value
    return values


def _first_is_text(X):
    if not hasattr(X, "__len__") or isinstance(X, str | bytes | dict) or not len(X):
        return False
    first = next((value for value in X if not is_missing(value)), None)
    return isinstance(first, str)
