"""All that there is to say of a clustering, as one page to send to others."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from importlib.resources import files
from numbers import Integral
from pathlib import Path
from secrets import token_hex
from string import Template

from sklearn_lloyd._compat import HasMethods, Interval, validate_params
from sklearn_lloyd._optional import import_optional
from sklearn_lloyd.inspection._cluster_profiles import cluster_profiles
from sklearn_lloyd.inspection._diagnose import diagnose
from sklearn_lloyd.inspection._profile_tables import fragment
from sklearn_lloyd.inspection._report_made import how_it_was_made, search_of
from sklearn_lloyd.inspection._report_parts import (
    candidate_of,
    choice,
    counted,
    findings,
    lead,
    number_of_rows,
    pictures,
)
from sklearn_lloyd.persistence._files import replacing

_MOST_FEATURES = 40  # in the table


@dataclass(frozen=True, eq=False, repr=False)
class ClusterReport:
    """A page on a clustering, from :func:`cluster_report`; notebooks show it.

    Attributes
    ----------
    title : str
    html : str
        The whole page, which needs no other file, no network and no script.
    """

    title: str
    html: str

    def save(self, path):
        """Write the page to a file.

        Parameters
        ----------
        path : str or path-like
            An existing file is replaced once the new one is complete on the disk.

        Returns
        -------
        path : pathlib.Path
            Where it is.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        with replacing(path, f".{token_hex(8)}.part") as file:
            file.write(self.html.encode())
        return Path(path)

    def __repr__(self):
        return (
            f"ClusterReport({self.title!r}, {len(self.html):,} characters; save(path) writes it)"
        )

    def _repr_html_(self):
        # A page of its own inside of the notebook's, whose styles do not meet.
        page = escape(self.html)
        return f'<iframe srcdoc="{page}" style="width:100%;height:40em;border:0"></iframe>'


@validate_params(
    {
        "estimator": [HasMethods("predict")],
        "X": "no_validation",
        "sample_weight": ["array-like", None],
        "feature_names": ["array-like", None],
        "texts": "no_validation",
        "n_clusters": [Integral, None],
        "title": [str, None],
        "rows": [str],
        "max_rows": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def cluster_report(
    estimator,
    X,
    *,
    sample_weight=None,
    feature_names=None,
    texts=None,
    n_clusters=None,
    title=None,
    rows="rows",
    max_rows=20_000,
    random_state=0,
):
    """Put all that there is to say of a clustering on one page, to send to others.

    First what it says, in plain words, and what each cluster is; then the choice of the number of
    clusters, profiles, pictures, findings, how it was made and how to make it again. The page is
    one HTML file: no network, no script, pictures inside. It has a light and a dark look, and fits
    a phone.

    Parameters
    ----------
    estimator : estimator
        A fitted clusterer with `cluster_centers_` and `predict`, alone, at the end of a Pipeline
        or the best of a search. Of a search the page says how it chose, and of a
        :class:`~sklearn_lloyd.model_selection.NClustersSearch` it shows the evidence.
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_columns)
        Rows as `estimator.predict` takes them, best those of the fit.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row in sizes, profiles and findings; None: one each.
    feature_names : array-like of str of shape (n_columns,), default=None
        As of :func:`cluster_profiles`.
    texts : sequence of str of shape (n_samples,), default=None
        As of :func:`cluster_profiles`: texts or titles that describe the rows of embeddings.
    n_clusters : int, default=None
        Of a :class:`~sklearn_lloyd.model_selection.NClustersSearch`, the candidate to report
        instead of the number that it chose.
    title : str, default=None
        Of the page. None: how many clusters of how many rows.
    rows : str, default='rows'
        What the rows are, in the plural, such as 'customers'.
    max_rows : int, default=20_000
        Of more rows, pictures show so many, drawn at random, and the page says so. Sizes, profiles
        and findings are of all rows.
    random_state : int, RandomState instance or None, default=0
        Draws these rows, and what the findings draw.

    Returns
    -------
    report : ClusterReport
        With `html`, and `save(path)` to write it to a file.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If the clusterer has no `cluster_centers_`.
    ValueError
        If X, the weights, the names or the texts do not fit the estimator, or `n_clusters` is no
        candidate.
    ImportError
        If matplotlib is not installed.

    See Also
    --------
    cluster_profiles : The profiles, as arrays and tables.
    diagnose : The findings.

    Notes
    -----
    Whatever comes from the data or the caller is escaped. The page holds means, medians, shares,
    the names of columns and categories, and pictures of some rows; no other values of single rows.
    Of texts it has terms; a cluster without any of its own is named by the beginning of a text.

    It costs what :func:`cluster_profiles` and :func:`diagnose` cost, and some seconds for the
    pictures.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import cluster_report
    >>> X = load_iris(as_frame=True).data
    >>> report = cluster_report(KMeans(3, random_state=0).fit(X), X, rows="flowers")
    >>> report.title
    'Three clusters of 150 flowers'
    """
    import_optional("matplotlib.pyplot", extra="plot")  # before the long work
    search = search_of(estimator)
    shown = estimator if n_clusters is None else candidate_of(estimator, n_clusters)
    diagnosis = diagnose(shown, X, sample_weight=sample_weight, random_state=random_state)
    options = {"sample_weight": sample_weight, "feature_names": feature_names, "texts": texts}
    profiles = cluster_profiles(shown, X, **options, n_exemplars=0)
    n_rows = number_of_rows(X)
    title = (
        f"{counted(len(profiles.clusters)).capitalize()} of {n_rows:,} {rows}"
        if title is None
        else title
    )
    body = [
        f"<h1>{escape(title)}</h1>",
        lead(profiles, diagnosis, search, n_rows, rows),
        f"<h2>What the clusters are</h2>{fragment(profiles, _MOST_FEATURES)}",
        choice(estimator, search, X, feature_names),
        pictures(shown, X, profiles, max_rows, random_state),
        findings(diagnosis),
        how_it_was_made(estimator, X, profiles, n_rows, n_clusters),
    ]
    page = files(__package__).joinpath("report.html").read_text(encoding="utf-8")
    html = Template(page).substitute(title=escape(title), body="\n".join(filter(None, body)))
    return ClusterReport(title, html)
