"""What `cluster_profiles` returns: the profiles, as arrays, a table and a report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np

from sklearn_lloyd._cluster_names import check_names, require_different
from sklearn_lloyd.inspection._names import told_apart
from sklearn_lloyd.inspection._profile_tables import N_SAID, fragment, markdown, notes, page, shown

TABLES = ("means", "medians", "differences", "rank_differences", "centers")


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
        A name for each cluster: that of :func:`name_clusters`, else a suggested one in plain
        words. :meth:`rename` gives others.
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
        What names and colours go by: `rank_differences`, for sparse X `differences`; zero where
        the median is on the other side of that of all rows.
    centers : ndarray of shape (n_clusters, n_features), float64
        The centres of the clusterer, brought back to the units of X. NaN where that cannot be
        done, and for features that the clusterer does not see.
    centers_missing : str
        Which step of the pipeline has no way back; empty if there is one.
    whole_mean, whole_median, whole_deviation : ndarray of shape (n_features,), float64
        Mean, median and standard deviation of all rows.
    distinctive : list of ndarray of intp
        For each cluster the features whose `contrasts` are at least half a standard deviation,
        the most first; of a column only one.
    stands_out : list of list of str
        The same in plain words.
    exemplars : ndarray of shape (n_clusters, n_exemplars), intp
        Positions of the rows nearest to the centre, the nearest first; -1 where there is none.
    library : {'pandas', 'polars', ''}
        Where X came from.
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
            "stands out": [", ".join(said[:N_SAID]) for said in self.stands_out],
            "exemplars": [[int(row) for row in rows if row >= 0] for rows in self.exemplars],
        }
        names = told_apart(self.features, {*first, *last})
        columns = first | dict(zip(names, getattr(self, values).T, strict=True)) | last
        return import_module(self.library).DataFrame(columns) if self.library else columns

    def to_markdown(self, max_features=20):
        """A table in Markdown: a row for each feature, a column for each cluster.

        It needs no pandas. The numbers are those of :class:`ProfileDisplay`: means, and in
        brackets medians. Bold ones are those by which a cluster stands out.

        Parameters
        ----------
        max_features : int, default=20
            Of more features, those that tell the clusters apart most.

        Returns
        -------
        text : str

        Examples
        --------
        >>> from sklearn_lloyd import KMeans
        >>> from sklearn_lloyd.inspection import cluster_profiles
        >>> X = [[1.0], [2.0], [8.0], [9.0]]
        >>> model = KMeans.from_centers([[1.5], [8.5]])
        >>> print(cluster_profiles(model, X, feature_names=["visits"]).to_markdown())
        |        | 0: low visits | 1: high visits | all rows |
        | ------ | ------------: | -------------: | -------: |
        | rows   | 2 (50.0%)     | 2 (50.0%)      | 4        |
        | visits | **1.5**       | **8.5**        | 5        |
        """
        return markdown(self, max_features)

    def to_html(self, title="Clusters", max_features=20):
        """A page of its own: a card for each cluster, and all features side by side.

        It needs no network and no script, and fits a telephone, light or dark. In notebooks
        profiles show in the same way.

        Parameters
        ----------
        title : str, default="Clusters"
            Of the page.
        max_features : int, default=20
            As of :meth:`to_markdown`.

        Returns
        -------
        page : str
            To be written to a file in UTF-8.
        """
        return page(self, title, max_features)

    def _repr_html_(self):
        return fragment(self, max_features=20)

    def rename(self, names):
        """The same profiles with names of your own, which pictures and reports then use.

        :func:`name_clusters` keeps names with the model.

        Parameters
        ----------
        names : dict or list
            New names by label of the cluster, as in `clusters`, or one for each. Clusters that a
            dict does not have keep their names.

        Returns
        -------
        profiles : ClusterProfiles
            Another one; this one stays as it is.

        Raises
        ------
        TypeError
            If `names` is neither dict nor list, or a name is no str.
        ValueError
            If there is no such cluster, a name is empty or longer than 200 characters, or two
            clusters would have the same name.

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
        own = self.names.copy()
        places = {label: i for i, label in enumerate(self.clusters.tolist())}
        for label, name in check_names(names, self.clusters).items():
            own[places[label]] = name
        require_different(own, "Clusters, also those that keep their names,")
        return replace(self, names=own)

    def __repr__(self):
        lines = [f"{len(self.clusters)} clusters, {len(self.features)} features"]
        for i, own in enumerate(self.distinctive):
            lines.append(f"  {self.clusters[i]}: {self.names[i]}, {self.shares[i]:.1%}")
            lines += [f"       {self._compared(i, j)}" for j in own[:N_SAID]]
        lines += [f"  {line}" for line in notes(self)]
        return "\n".join(lines)

    def _compared(self, i, j):
        own, whole, is_median = shown(self, i, j)
        return f"{self.features[j]}{', median' * is_median} {own} (all rows: {whole})"
