"""The parts of a report: words, tables and pictures."""

from __future__ import annotations

from base64 import b64encode
from functools import partial
from html import escape
from io import BytesIO

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from sklearn_lloyd._optional import import_optional
from sklearn_lloyd.inspection._cluster_profiles import cluster_profiles
from sklearn_lloyd.inspection._clusters import ClusterDisplay
from sklearn_lloyd.inspection._numbers import NClustersDisplay
from sklearn_lloyd.inspection._pairs import most_distinctive, pairs_of
from sklearn_lloyd.inspection._profile import ProfileDisplay
from sklearn_lloyd.inspection._report_made import search_of
from sklearn_lloyd.inspection._silhouettes import SilhouetteDisplay

_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_PAIRS = 5  # features in the picture of pairs
_DOTS = 110  # for each inch of a picture


def counted(n_clusters):
    """A number of clusters, in words."""
    number = _NUMBERS[n_clusters] if n_clusters < len(_NUMBERS) else f"{n_clusters:,}"
    return f"{number} cluster{'s' * (n_clusters != 1)}"


def lead(profiles, diagnosis, search, n_rows, rows):
    """What the page says, in a few sentences."""
    said = (
        f"The {n_rows:,} {escape(rows)} are in <strong>{counted(len(profiles.clusters))}</strong>."
    )
    if len(profiles.clusters) > 1:
        order = np.argsort(-profiles.shares, kind="stable")
        (largest, most), (smallest, least) = (
            (escape(str(profiles.names[i])), _percent(profiles.shares[i])) for i in order[[0, -1]]
        )
        said += f" The largest, <em>{largest}</em>, has {most} of them, "
        said += f"the smallest, <em>{smallest}</em>, {least}."
    return f'<p class="lead">{said}</p><p>{_how_sure(diagnosis, search)}</p>'


def _how_sure(diagnosis, search):
    said = []
    if search is not None:
        summary = search.summary()
        said += [f"{escape(summary.certainty.capitalize())}.", escape(summary.advice)]
    structure = getattr(search, "structure_", None)
    if structure == "none":
        said.append(
            "The search saw no sign of groups: the clusters divide the rows usefully at best, and "
            "are no groups that are there by themselves."
        )
    elif structure == "unclear":
        said.append("Whether there are groups at all is not clear.")
    n_high = sum(finding.severity == "high" for finding in diagnosis)
    if not diagnosis:
        said.append("The checks of the clustering found nothing that speaks against it.")
    else:
        n = len(diagnosis)
        said.append(
            f"The checks of the clustering found {n} thing{'s' * (n > 1)} to know"
            + (
                f", {n_high} of {'them' if n > 1 else 'it'} serious"
                if n_high
                else ", none serious"
            )
            + ': see <a href="#findings">the findings</a>.'
        )
    return " ".join(filter(None, said))


def choice(estimator, search, X, feature_names):
    """How the number of clusters was chosen; empty if no search chose it."""
    if search is None:
        return _choice_of_a_grid(estimator) if hasattr(estimator, "best_params_") else ""
    caption = (
        "What speaks for each number of clusters: a panel for each criterion, with its own choice "
        "marked, and the number that was chosen as a broad line."
    )
    draw = partial(NClustersDisplay.from_estimator, search)
    drawn = _picture(caption, "Criteria by number of clusters", draw, is_wide=True)
    said = search.summary()._repr_html_()
    others = _other_candidates(estimator, search, X, feature_names)
    return f'<h2>How many clusters</h2><div class="wide">{said}</div>{drawn}{others}'


def candidate_of(estimator, n_clusters):
    """What a search, alone or at the end of a pipeline, has fitted with a number that comes near.

    Raises
    ------
    ValueError
        If there is no search, or it has not kept that number.
    """
    search = search_of(estimator)
    kept = getattr(search, "candidate_estimators_", {})
    if n_clusters not in kept:
        raise ValueError(
            f"n_clusters={n_clusters} is for a fitted NClustersSearch that has kept that number "
            f"in candidate_estimators_: {sorted(kept) or 'there are none'}."
        )
    if search is not estimator and isinstance(estimator, Pipeline):
        return Pipeline([*estimator.steps[:-1], ("clusterer", kept[n_clusters])])
    return kept[n_clusters]


def _other_candidates(estimator, search, X, feature_names):
    """The clusters and a picture of each number that comes near, unless the search is sure."""
    said, numbers = "", getattr(search, "candidate_estimators_", {})
    for number in numbers if search.summary().advice else ():
        if number in (search.n_clusters_, 1):
            continue
        model = candidate_of(estimator, number)
        profiles = cluster_profiles(model, X, feature_names=feature_names, n_exemplars=0)
        rows = zip(profiles.names, profiles.shares, strict=True)
        listed = "".join(
            f"<li>{escape(str(name))}: {_percent(share)}</li>" for name, share in rows
        )
        draw = partial(ClusterDisplay.from_estimator, model, X)
        said += f"<h3>Instead, {counted(number)}</h3><ul>{listed}</ul>"
        said += _picture("Rows and centres.", f"{number} clusters in the plane", draw)
    return said


def _choice_of_a_grid(search):
    chosen = ", ".join(f"{name}={value!r}" for name, value in search.best_params_.items())
    said = f"{type(search).__name__} chose {chosen}"
    if hasattr(search, "best_score_"):
        said += f", with a score of {search.best_score_:.4g}"
    said += "."
    if getattr(search, "scoring", "") is None:
        said += (
            " It had no scoring, and took the score of the clusterer: minus the inertia, which "
            "falls with every further cluster. Of several numbers of clusters that chooses the "
            "largest, whatever the data."
        )
    return f"<h2>How many clusters</h2><p>{escape(said)}</p>"


def pictures(estimator, X, profiles, max_rows, random_state):
    """Profiles, clusters, pairs of features and silhouettes."""
    n_rows = number_of_rows(X)
    said = ""
    if n_rows > max_rows:
        chosen = check_random_state(random_state).choice(n_rows, max_rows, replace=False)
        X = _take(X, np.sort(chosen))
        said = f"<p>Pictures of rows show {max_rows:,} of them, drawn at random.</p>"
    contrast = (
        "How each cluster differs from the whole: orange is more, purple is less, and the numbers "
        "are means in the units of the table."
    )
    if getattr(profiles, "terms", None) is not None:
        contrast = "The terms that are each cluster's own."
    drawn = [
        _picture(
            contrast,
            "Profiles of the clusters",
            partial(ProfileDisplay.from_profiles, profiles),
            is_wide=True,
        ),
        _picture(
            "Where the clusters lie, seen from the side from which they differ most. The numbers "
            "are those of the clusters, at their centres.",
            "Rows and centres in the plane",
            partial(ClusterDisplay.from_estimator, estimator, X),
        ),
    ]
    has_columns = len(getattr(X, "shape", ())) == 2  # and is not a list of texts
    if has_columns and not profiles.is_share.all() and not profiles.is_embedding:
        chosen, n_features = most_distinctive(profiles, _PAIRS)
        drawn.append(
            _picture(
                "The columns that tell the clusters apart most, two at a time; on the diagonal "
                "how each column is distributed within each cluster.",
                "Pairs of columns by cluster",
                lambda: pairs_of(profiles, chosen, n_features, estimator, X).plot(),
                is_wide=True,
            )
        )
    drawn.append(
        _picture(
            "How well rows fit their clusters: near 1 very well, around 0 they lie between two "
            "clusters, below 0 they are nearer to another one.",
            "Silhouettes by cluster",
            partial(SilhouetteDisplay.from_estimator, estimator, X),
        )
    )
    return f"<h2>Pictures</h2>{said}{''.join(drawn)}"


def _take(X, rows):
    """Some rows of a table, of the type that it has."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if hasattr(X, "column_names"):  # of Arrow
        return X.take(rows)
    return X[rows] if hasattr(X, "shape") else [X[row] for row in rows]


def number_of_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _picture(caption, alt, draw, is_wide=False):
    """A figure with its picture inside; the reason where it cannot be drawn.

    A wide one keeps its size on a small screen, and is moved sideways there.
    """
    pyplot = import_optional("matplotlib.pyplot", extra="plot")
    others = set(pyplot.get_fignums())
    file = BytesIO()
    try:
        with pyplot.style.context("default"):
            draw().figure_.savefig(file, format="png", dpi=_DOTS)
    except ValueError as error:  # silhouettes of one cluster, and the like
        return f'<p class="small">{escape(alt)}: not drawn. {escape(str(error))}</p>'
    finally:
        for number in set(pyplot.get_fignums()) - others:
            pyplot.close(number)
    data, kind = b64encode(file.getvalue()).decode(), "wide" if is_wide else "narrow"
    return (
        f"<figure><figcaption>{escape(caption)}</figcaption>"
        f'<div class="{kind}"><img alt="{escape(alt)}" '
        f'src="data:image/png;base64,{data}"></div>'
        "</figure>"
    )


def findings(diagnosis):
    """What `diagnose` found."""
    return f'<h2 id="findings">Findings</h2>{diagnosis._repr_html_()}'


def _percent(share):
    return f"{share:.0%}" if share == 0.0 or share >= 0.01 else "under 1%"
