"""What `cluster_profiles` returns: the profiles, as arrays, a table and a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np

from sklearn_lloyd.inspection._names import told_apart
from sklearn_lloyd.inspection._terms import ClusterTerms, excerpt, said_of, said_of_rows_without

TABLES = ("means", "medians", "differences", "rank_differences", "centers")
_SHOWN = 5  # features of a cluster
_MOST_LISTED = 10  # columns in a report


@dataclass(frozen=True, eq=False, repr=False)
class ClusterProfiles:
    """What the clusters are, from :func:`cluster_profiles`: not to be made by hand.

    A column of numbers is one feature. A column of categories is a feature for each of them,
    named "column=category", that is one in the rows of the category and zero elsewhere: its mean
    is its share. So is a column of yes and no, with the share of yes.

    Attributes
    ----------
    clusters : ndarray of shape (n_clusters,)
        The labels that `predict` gives.
    names : ndarray of shape (n_clusters,), object
        A suggested name in plain words, another for each cluster; :meth:`rename` gives others.
    sizes : ndarray of shape (n_clusters,)
        Rows in each cluster, integers; with `sample_weight` sums of weights, float64.
    shares : ndarray of shape (n_clusters,), float64
        Sizes as parts of their sum.
    features : ndarray of shape (n_features,), object
        Names of the features.
    columns : ndarray of shape (n_features,), intp
        The column of X that each feature comes from.
    is_share : ndarray of shape (n_features,), bool
        Whether the feature is a category, or yes and no.
    missing, infinite : ndarray of shape (n_features,), intp
        How many values of the column are missing, and how many infinite, in the rows that count.
        Infinite ones count as missing in all statistics.
    left_out : dict of str to str
        Columns that have no profile, by name, and what they hold: times, lists, text of which
        nearly every value occurs once, and the like.
    means : ndarray of shape (n_clusters, n_features), float64
        In the units of X; NaN for a cluster without rows.
    medians : ndarray of shape (n_clusters, n_features), float64
        NaN for shares, and for sparse X.
    differences : ndarray of shape (n_clusters, n_features), float64
        Means less those of all rows, in standard deviations of all rows (``ddof=0``).
    rank_differences : ndarray of shape (n_clusters, n_features), float64
        The same of the ranks of the values: a few large values neither make a difference nor
        hide one. NaN for sparse X.
    contrasts : ndarray of shape (n_clusters, n_features), float64
        What pictures show: `differences`, and `rank_differences` where the cluster stands out by
        its ranks and a few large values put the mean on the other side.
    centers : ndarray of shape (n_clusters, n_features), float64
        The centres of the clusterer, brought back to the units of X. NaN where that cannot be
        done, and for features that the clusterer does not see.
    centers_missing : str
        Which step of the pipeline has no way back; empty if there is one.
    whole_mean, whole_median, whole_deviation : ndarray of shape (n_features,), float64
        Mean, median and standard deviation of all rows.
    distinctive : list of ndarray of intp
        For each cluster the features in which it stands out by at least half a standard deviation
        of the ranks (of the values, for sparse X), with a median that is not on the other side of
        that of all rows; the most first; of a column only one.
    stands_out : list of list of str
        The same in plain words.
    exemplars : ndarray of shape (n_clusters, n_exemplars), intp
        Positions of the rows nearest to the centre, the nearest first; -1 where there is none.
    library : {'pandas', 'polars', ''}
        Where X came from.
    terms : ClusterTerms or None
        Of texts: weights, shares of texts and distinctiveness of their terms, which are the
        features. They have `heaviest`, lists of terms by weight, besides `distinctive`.
    examples : ndarray of shape (n_clusters, n_exemplars), object
        The texts of the exemplars; of no columns where there are no texts.
    nearest : ndarray of shape (n_clusters,), intp
        The place in `clusters` of the cluster with the nearest centre; -1 where there is none.
    is_embedding : bool
        Whether the columns are coordinates that mean nothing by themselves, so that nothing
        stands out.
    """

    clusters: np.ndarray
    names: np.ndarray
    sizes: np.ndarray
    shares: np.ndarray
    features: np.ndarray
    columns: np.ndarray
    is_share: np.ndarray
    missing: np.ndarray
    infinite: np.ndarray
    left_out: dict
    means: np.ndarray
    medians: np.ndarray
    differences: np.ndarray
    rank_differences: np.ndarray
    contrasts: np.ndarray
    centers: np.ndarray
    centers_missing: str
    whole_mean: np.ndarray
    whole_median: np.ndarray
    whole_deviation: np.ndarray
    distinctive: list
    stands_out: list
    exemplars: np.ndarray
    library: str
    terms: ClusterTerms | None
    examples: np.ndarray
    nearest: np.ndarray
    is_embedding: bool

    def to_frame(self, values="means"):
        """One row for each cluster, one column for each feature.

        Parameters
        ----------
        values : {'means', 'medians', 'differences', 'rank_differences', 'centers'}, \
                default='means'
            What to show of each feature.

        Returns
        -------
        frame : pandas or polars DataFrame, or dict of columns
            A frame of the library that X came from; for arrays a dict, of which either library
            makes a frame. The columns are "cluster", "name", "size", "share", the features,
            "stands out" (at most five features) and "exemplars". A feature with the name
            of another column has " (feature)" after it.

        Raises
        ------
        ValueError
            If there is no such table.
        """
        if values not in TABLES:
            raise ValueError(f"values must be one of {', '.join(TABLES)}; got {values!r}.")
        first = {
            "cluster": self.clusters,
            "name": list(self.names),
            "size": self.sizes,
            "share": self.shares,
        }
        last = {
            "stands out": [", ".join(said[:_SHOWN]) for said in self.stands_out],
            "exemplars": [[int(row) for row in rows if row >= 0] for rows in self.exemplars],
        }
        names = told_apart(self.features, {*first, *last})
        columns = first | dict(zip(names, getattr(self, values).T, strict=True)) | last
        return import_module(self.library).DataFrame(columns) if self.library else columns

    def rename(self, names):
        """The same profiles with names of your own, which pictures and reports then use.

        Parameters
        ----------
        names : dict
            New names by label of the cluster, as in `clusters`. Clusters that it does not have
            keep their names.

        Returns
        -------
        profiles : ClusterProfiles
            Another one; this one stays as it is.

        Raises
        ------
        TypeError
            If `names` is no dict, or a name is no str.
        ValueError
            If there is no such cluster, a name is empty, or two clusters would have the same name.

        Examples
        --------
        >>> from sklearn_lloyd import KMeans
        >>> from sklearn_lloyd.inspection import cluster_profiles
        >>> X = [[1.0], [2.0], [8.0], [9.0]]
        >>> profiles = cluster_profiles(KMeans.from_centers([[1.5], [8.5]]), X)
        >>> list(profiles.names)
        ['low x0', 'high x0']
        >>> list(profiles.rename({1: "Regulars"}).names)
        ['low x0', 'Regulars']
        """
        if not isinstance(names, Mapping):
            raise TypeError(
                "names must be a dict of cluster labels to names, such as {0: 'Regulars'}; got "
                f"{type(names).__name__}."
            )
        places = {label: i for i, label in enumerate(self.clusters.tolist())}
        unknown = [label for label in names if label not in places]
        if unknown:
            raise ValueError(
                f"The keys of names must be labels of clusters, which are {list(places)}; got "
                f"{unknown}."
            )
        wrong = [name for name in names.values() if not isinstance(name, str)]
        if wrong:
            raise TypeError(f"Names must be str; got {wrong[0]!r} ({type(wrong[0]).__name__}).")
        own = self.names.copy()
        for label, name in names.items():
            own[places[label]] = name
        repeated = [name for name, count in Counter(own).items() if count > 1]
        if repeated or "" in own:
            raise ValueError(
                "Names must differ and not be empty, also from those that clusters keep; "
                f"these do not: {repeated or ['']}."
            )
        return replace(self, names=own)

    def __repr__(self):
        lines = [f"{len(self.clusters)} clusters, {len(self.features)} features"]
        if self.terms is not None:
            counted = f"{len(self.clusters)} clusters, {self.terms.n_terms:,} terms"
            lines = [f"{counted}; own terms: share of the texts (of all other texts)"]
        for i in range(len(self.clusters)):
            lines.append(f"  {self.clusters[i]}: {self.names[i]}, {self.shares[i]:.1%}")
            lines += [f"       {said}" for said in self._said_of(i)]
        not_counted = zip(self.features, self.missing, self.infinite, self.is_share, strict=True)
        counts = {}
        for name, n_missing, n_infinite, is_share in not_counted:
            found = [f"{n_missing} missing"] * bool(n_missing)
            found += [f"{n_infinite} infinite"] * bool(n_infinite)
            if found and not is_share:
                counts[name] = ", ".join(found)
        if self.terms is not None:
            lines += said_of_rows_without(self.terms)
        lines += _listed("values left out", counts) + _listed("left out", self.left_out)
        return "\n".join(lines)

    def _said_of(self, i):
        """Lines about one cluster."""
        if self.terms is not None:
            yield from said_of(self.terms, i)
        elif not self.is_embedding:
            yield from (self._compared(i, j) for j in self.distinctive[i][:_SHOWN])
            return
        rows = self.exemplars[i][self.exemplars[i] >= 0]
        if rows.size and self.examples.size:
            yield f'typical: "{excerpt(self.examples[i, 0])}"'
        elif rows.size:
            yield f"typical rows: {', '.join(map(str, rows))}"
        if self.nearest[i] >= 0:
            yield f"nearest: {self.clusters[self.nearest[i]]}"

    def _compared(self, i, j):
        own, whole, is_median = shown(self, i, j)
        return f"{self.features[j]}{', median' * is_median} {own} (all rows: {whole})"


def shown(profiles, i, j):
    """What pictures and reports show of a feature: the mean, in a cluster and in all rows.

    Where `contrasts` are those of ranks, since a few large values move the mean, it is the median.

    Returns
    -------
    own, whole : str
    is_median : bool
    """
    if profiles.is_share[j]:
        return f"{profiles.means[i, j]:.0%}", f"{profiles.whole_mean[j]:.0%}", False
    is_median = bool(profiles.differences[i, j] * profiles.contrasts[i, j] < 0.0)
    own, whole = profiles.means, profiles.whole_mean
    if is_median:
        own, whole = profiles.medians, profiles.whole_median
    return short(own[i, j]), short(whole[j]), is_median


def _listed(title, said):
    """Lines of the report, of some columns."""
    lines = [f"    {name}: {what}" for name, what in list(said.items())[:_MOST_LISTED]]
    more = [f"    and {len(said) - _MOST_LISTED} more"] * (len(said) > _MOST_LISTED)
    return [f"  {title}:", *lines, *more] if said else []


def short(number):
    return f"{number:,.0f}" if abs(number) >= 1000.0 else f"{number:.3g}"
