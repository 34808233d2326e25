"""Checks of sparse rows of counts, as those of the words of texts."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._moments import weighted_mean
from sklearn_lloyd.inspection._findings import Finding

# Standard deviation of the lengths of rows, relative to their mean. Words of ten sets of texts,
# counted or weighted by tf-idf without norm, have 0.29 to 1.26, and clusters have next to nothing
# in common with what the texts are of; scaled to one length they have (benchmarks/texts.py).
LENGTHS = 0.25
FEWEST_WORDS = 1000  # features: words, and not a few counts that mean something as such
# Values of a row. Where texts have 50 different words or more, fewer dimensions made clusters
# better, by 0.01 to 0.21 of adjusted Rand index in eight sets; single sentences gain next to none.
MANY_VALUES = 20
FEWEST_ROWS = 10  # whose lengths have a spread worth the name


def unequal_lengths(view):
    spread = _spread_of_lengths(view)
    if spread is None or spread < LENGTHS:
        return None
    return Finding(
        "unequal-lengths",
        "high",
        {
            "spread_relative_to_mean": spread,
            "share_of_largest_cluster": float(view.sizes.max() / view.sizes.sum()),
        },
        "Rows of many counts, such as words of texts, differ in length, and k-means goes by it: "
        "short rows end in one large cluster, long ones in small ones, whatever they are about.",
        "Scale the rows to one length: sklearn.feature_extraction.text.TfidfVectorizer does so "
        "for texts, sklearn.preprocessing.Normalizer for any rows.",
    )


def wide_sparse_rows(view):
    spread = _spread_of_lengths(view)
    if spread is None or spread >= LENGTHS:
        return None
    n_values = float(np.median(np.diff(view.counts_of_rows.indptr)))
    if n_values < MANY_VALUES:
        return None
    return Finding(
        "wide-sparse-rows",
        "low",
        {"n_features": view.n_features, "median_values_of_a_row": n_values},
        "Each row has values in few of very many features, such as the words of texts, so that "
        "rows about the same are nearly as far from each other as any.",
        "Compare with fewer dimensions, which bring such rows together: "
        "sklearn.decomposition.TruncatedSVD(100), then sklearn.preprocessing.Normalizer; for "
        "texts after TfidfVectorizer(sublinear_tf=True, max_df=0.5).",
    )


def _spread_of_lengths(view):
    """Standard deviation relative to the mean, of rows of words; None of others.

    Rows of no words have no length.
    """
    rows = view.counts_of_rows
    if rows is None or view.n_features < FEWEST_WORDS or rows.shape[0] < FEWEST_ROWS:
        return None
    lengths = np.sqrt(rows.multiply(rows) @ np.ones(rows.shape[1]))
    weights = view.weights[lengths > 0.0]
    lengths = lengths[lengths > 0.0]
    if lengths.size < FEWEST_ROWS:
        return None
    mean = weighted_mean(lengths, weights)
    return float(np.sqrt(weighted_mean(np.square(lengths - mean), weights)) / mean)
