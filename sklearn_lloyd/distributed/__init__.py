"""The same k-means where the rows lie on a dask cluster."""

from sklearn_lloyd.distributed._dask_kmeans import DaskKMeans

__all__ = ["DaskKMeans"]
