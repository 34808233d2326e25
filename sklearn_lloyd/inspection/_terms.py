"""The terms of clusters of texts: which have most weight, and which are a cluster's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklearn_lloyd._rows import even_slices
from sklearn_lloyd._texts import listed_rows
from sklearn_lloyd.inspection._statistics import Groups

# Added to both shares of texts that have a term, so that words of a few texts do not win. With
# 1 %, words of a tenth of the texts came before words of most, on docstrings of four packages.
_PRIOR = 0.03
_FEWEST_TEXTS = 2  # of a cluster that have a term of its own
_STEM = 4  # letters that two words begin with, one of which is then enough in a name
_AT_ONCE = 1 << 22  # numbers of clusters by terms
_SHOWN = 6  # terms of a cluster in a report
_TITLE = 30  # letters of a text in a name
_EXCERPT = 76  # letters of a text in a report


@dataclass(frozen=True, eq=False, repr=False)
class ClusterTerms:
    """The terms of clusters of texts, as `ClusterProfiles.terms` has them.

    Attributes
    ----------
    features : ndarray of shape (n_features,), object
    means : ndarray of shape (n_clusters, n_features), float64
    distinctive : list of ndarray of intp
        For each cluster, places of its most distinctive features, the most first.
    heaviest : list of ndarray of intp
        For each cluster, features of the profiles by their weight in it: the mean of what the
        vectoriser makes of its texts (`ClusterProfiles.means`), the largest first.
    text_shares : ndarray of shape (n_clusters, n_features), float64
        Share of the texts of a cluster that have the term.
    shares_elsewhere : ndarray of shape (n_clusters, n_features), float64
        The same of all texts that are not in the cluster.
    distinctiveness : ndarray of shape (n_clusters, n_features), float64
        How much a term is the cluster's own: weight times the logarithm of the ratio of the two
        shares, to each of which 3 % are added.
    n_terms : int
        How many there are; the profiles have the foremost ones.
    without : list of int
        Rows that have none of the terms, such as empty texts.
    """

    features: np.ndarray
    means: np.ndarray
    distinctive: list
    heaviest: list
    text_shares: np.ndarray
    shares_elsewhere: np.ndarray
    distinctiveness: np.ndarray
    n_terms: int
    without: list

    def of_cluster(self, i, n_terms=10):
        """The most distinctive terms of a cluster as columns, of which any library makes a frame.

        Parameters
        ----------
        i : int
            Its place in `ClusterProfiles.clusters`.
        n_terms : int, default=10
            At most.

        Returns
        -------
        columns : dict
            "term", "weight", "share", "share elsewhere", "distinctiveness": the most distinctive
            first.
        """
        j = self.distinctive[i][:n_terms]
        return {
            "term": list(self.features[j]),
            "weight": self.means[i, j],
            "share": self.text_shares[i, j],
            "share elsewhere": self.shares_elsewhere[i, j],
            "distinctiveness": self.distinctiveness[i, j],
        }

    @property
    def in_words(self):
        """For each cluster its most distinctive terms, a list of str."""
        return [list(self.features[own]) for own in self.distinctive]

    def __repr__(self):
        said = [f"{i}: {', '.join(own[:_SHOWN])}" for i, own in enumerate(self.in_words)]
        return "\n".join(said)


def cluster_terms(table, rows, groups, chosen, n_most, names):
    """The terms of clusters, and which of all terms these are of.

    Parameters
    ----------
    table : TermTable
    rows : slice or ndarray of intp
        The rows that count.
    groups : Groups
        Of these rows.
    chosen : list of int, or None
        Terms that were asked for; None: the foremost ones.
    n_most : int
        Of each cluster, by weight and by distinctiveness.
    names : list of str

    Returns
    -------
    told : ClusterTerms
    kept : ndarray of intp
    """
    weights = table.weights[rows].astype(np.float64)
    is_without = np.diff(weights.indptr) == 0
    weights = weights.tocsc()
    if chosen is None:
        at_once = max(1, _AT_ONCE // groups.n_clusters)
        kept = _foremost_columns(weights, groups, n_most, at_once)
    else:
        kept = np.array(chosen)
    means, shares, elsewhere, scores = _statistics(weights[:, kept], groups)
    told = ClusterTerms(
        features=np.array(names, dtype=object)[kept],
        means=means,
        distinctive=_foremost(scores, n_most),
        heaviest=_foremost(means, n_most),
        text_shares=shares,
        shares_elsewhere=elsewhere,
        distinctiveness=scores,
        n_terms=weights.shape[1],
        without=np.arange(table.weights.shape[0])[rows][is_without].tolist(),
    )
    return told, kept


def _foremost_columns(weights, groups, n_most, at_once):
    """The terms that are foremost in a cluster, by weight or by distinctiveness."""
    found = [np.empty(0, np.intp)]
    for part in even_slices(weights.shape[1], at_once):
        means, _, _, scores = _statistics(weights[:, part], groups)
        found += [part.start + own for own in _foremost(means, n_most)]
        found += [part.start + own for own in _foremost(scores, n_most)]
    kept = np.unique(np.concatenate(found))
    if at_once >= weights.shape[1]:
        return kept
    return kept[_foremost_columns(weights[:, kept], groups, n_most, kept.size)]


def _statistics(weights, groups):
    """Means, shares of texts in the cluster and elsewhere, distinctiveness, of all terms."""
    present = weights.copy()
    present.data = (weights.data != 0).astype(np.float64)
    means = np.nan_to_num(groups.means_of_sparse(weights))
    shares = np.nan_to_num(groups.means_of_sparse(present))
    parts = (groups.totals / groups.totals.sum())[:, np.newaxis]
    others = np.maximum((parts * shares).sum(axis=0) - parts * shares, 0.0)
    elsewhere = np.divide(others, 1.0 - parts, out=shares.copy(), where=parts < 1.0)
    scores = means * np.log((shares + _PRIOR) / (elsewhere + _PRIOR))

    unweighted, counted = Groups(groups.codes, None, groups.n_clusters), shares
    if groups.weights is not None:
        counted = np.nan_to_num(unweighted.means_of_sparse(present))
    n_rows = unweighted.totals[:, np.newaxis]
    scores[counted * n_rows < np.minimum(_FEWEST_TEXTS, n_rows) - 0.5] = 0.0
    return means, shares, elsewhere, scores


def _foremost(values, n_most):
    """For each cluster the terms of largest positive value, the largest first."""
    found = []
    for own in values:
        rounded = np.round(own / (own.max(initial=0.0) or 1.0), 9)
        n_found = min(n_most, np.count_nonzero(rounded > 0.0))
        found.append(np.argsort(-rounded, kind="stable")[:n_found])
    return found


def said_of(terms, i):
    """Lines of a report about one cluster."""
    own, heavy = terms.distinctive[i][:_SHOWN], terms.heaviest[i][:_SHOWN]
    pairs = zip(terms.text_shares[i, own], terms.shares_elsewhere[i, own], strict=True)
    shares = [f"{share:.0%} ({elsewhere:.0%})" for share, elsewhere in pairs]
    if own.size:
        named = zip(terms.features[own], shares, strict=True)
        yield "own: " + ", ".join(f"{name} {said}" for name, said in named)
    if heavy.size:
        yield "weight: " + ", ".join(terms.features[heavy])


def said_of_rows_without(terms):
    """That rows have no terms, as a list of one line; empty if all have some."""
    n = len(terms.without)
    said = f"{n} {'rows have' if n > 1 else 'row has'} none of the terms"
    return [f"{said}: {listed_rows(terms.without)}"] if n else []


def own_terms(terms, n_fewest, n_most):
    """For each cluster its terms for a picture, of which so many at least are of no cluster more.

    Returns
    -------
    found : list of (list of str, shares in the cluster, shares elsewhere)
    """
    foremost = terms.distinctiveness.argmax(axis=0)
    found = []
    for i, own in enumerate(terms.distinctive):
        first = own[foremost[own] == i][:n_fewest]
        others = own[~np.isin(own, first)][: n_most - first.size]
        shown = own[np.isin(own, [*first, *others])]
        pair = terms.text_shares[i, shown], terms.shares_elsewhere[i, shown]
        found.append((list(terms.features[shown]), *pair))
    return found


def clear_terms(terms):
    """Terms for a name: no "eigenvalues" after "eigenvalue", no "mask" after "fill mask"."""
    kept = []
    for term in terms:
        if not any(_says(term, other) or _says(other, term) for other in kept):
            kept.append(term)
    return kept


def _says(short, long):
    if len(short) >= _STEM and long.startswith(short):
        return True
    return set(short.split()) <= set(long.split())


def examples_of(texts, exemplars):
    """The texts of exemplars, object; of shape (n_clusters, 0) where there are no texts."""
    if texts is None:
        return np.empty((len(exemplars), 0), dtype=object)
    return np.where(exemplars >= 0, texts[exemplars], "")


def like(row, texts):
    """A name for a cluster of which nothing else can be said: by a typical row."""
    return f'like "{excerpt(texts[0], _TITLE)}"' if len(texts) else f"like row {row}"


def excerpt(text, length=_EXCERPT):
    """The beginning of a text, on one line."""
    text = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    text = " ".join(text[: 8 * length].split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
