"""Rows by terms: of the texts that a pipeline takes, or that describe its rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer

from sklearn_lloyd._texts import is_vectorizer, texts_of

# Sparse rows of so many columns, none negative, are taken for terms: nobody reads a table of them.
_FEWEST_COLUMNS = 1000
_IN_MOST = 0.5  # of the texts: what is in more tells nothing, where we choose the terms


class TermTable(NamedTuple):
    """Rows by terms.

    Attributes
    ----------
    weights : CSR of shape (n_samples, n_terms)
    names : list of str, or None
        None: those of the columns of X.
    texts : ndarray of shape (n_samples,), object, or None
    n_steps : int
        How many steps of the pipeline made the weights: what is after these takes `weights`.
    is_seen : bool
        Whether the columns of X, or what the first steps make of it, are these terms.
    """

    weights: sparse.csr_matrix
    names: list | None
    texts: np.ndarray | None
    n_steps: int
    is_seen: bool


def terms_of(steps, X, texts):
    """The terms of texts that the pipeline takes, or that describe its rows; None: none do.

    Parameters
    ----------
    steps : list of fitted transformers
    X : object
        As `as_given` makes it.
    texts : sequence of str, or None
        What describes the rows.

    Returns
    -------
    table : TermTable or None
    """
    if texts is not None:
        texts = texts_of(texts, X.shape[0], "texts")
        return _of_texts(texts, None)
    if is_vectorizer(steps[0] if steps else None):
        if hasattr(steps[0], "vocabulary_"):
            return _of_steps(steps, X)
        return _of_texts(X, steps[0].build_analyzer())  # a hash has no names
    if len(X.shape) == 1:
        return _of_texts(texts_of(X, X.shape[0], "X"), None)
    if not (sparse.issparse(X) and X.shape[1] >= _FEWEST_COLUMNS and _can_be_terms(X)):
        return None
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return TermTable(X, None, None, 0, True)


def _can_be_terms(X):
    return X.nnz > 0 and bool(np.isfinite(X.data).all()) and X.data.min() >= 0


def _of_steps(steps, texts):
    """As far as the columns stay terms: a TfidfTransformer may follow a CountVectorizer."""
    names = steps[0].get_feature_names_out()
    weights, n_steps = steps[0].transform(texts), 1
    if not weights.nnz:
        raise ValueError(
            "None of the texts of X has a term that the vectoriser knows: they are empty, or of "
            "another kind than those of the fit."
        )
    for step in steps[1:]:
        if not isinstance(step, TfidfTransformer):
            break
        weights, n_steps = step.transform(weights), n_steps + 1
    return TermTable(weights.tocsr(), names.tolist(), texts, n_steps, True)


def _of_texts(texts, analyzer):
    """Terms of our own making."""
    vectorizer = TfidfVectorizer(analyzer=analyzer or "word")
    try:
        weights = vectorizer.fit_transform(texts).tocsr()
    except ValueError as error:
        raise ValueError(f"The texts have no words to describe clusters by: {error}.") from error
    names = vectorizer.get_feature_names_out()
    told = np.bincount(weights.indices, minlength=names.size) <= _IN_MOST * weights.shape[0]
    if told.any():
        weights, names = weights[:, np.flatnonzero(told)], names[told]
    return TermTable(weights, names.tolist(), texts, 0, False)
