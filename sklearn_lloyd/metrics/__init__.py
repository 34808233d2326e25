"""Measures of a clustering without true labels, and scorers for searches over clusterers."""

from sklearn_lloyd.metrics._indices import calinski_harabasz_score, davies_bouldin_score
from sklearn_lloyd.metrics._scorers import (
    calinski_harabasz_scorer,
    davies_bouldin_scorer,
    silhouette_scorer,
    simplified_silhouette_scorer,
    stability_scorer,
)
from sklearn_lloyd.metrics._silhouette import silhouette_samples, silhouette_score
from sklearn_lloyd.metrics._simplified import (
    simplified_silhouette_samples,
    simplified_silhouette_score,
)

__all__ = [
    "calinski_harabasz_score",
    "calinski_harabasz_scorer",
    "davies_bouldin_score",
    "davies_bouldin_scorer",
    "silhouette_samples",
    "silhouette_score",
    "silhouette_scorer",
    "simplified_silhouette_samples",
    "simplified_silhouette_score",
    "simplified_silhouette_scorer",
    "stability_scorer",
]
