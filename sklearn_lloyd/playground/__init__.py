"""A page on this computer that shows k-means step by step: ``python -m sklearn_lloyd.playground``.

It needs the extra ``[app]``: Starlette and uvicorn, which serve one static page of ours and answer
its questions in JSON. Why not a notebook app such as marimo:

- A step must be quick, and go on when the connection is lost. All half-steps of a run come in one
  answer, and the page draws each by itself. In a notebook app each step would go to Python and
  back, and cells would draw a new picture.
- Clicks that place centres, arrow keys, sliders and buttons with names for screen readers, and a
  phone's width are plain HTML, with nothing in between.
- A strict Content-Security-Policy is possible: no script and no style but our own two files. The
  front end of a notebook app is megabytes, and needs more rights.
- Starlette and uvicorn are small, pure Python and well kept; marimo stands on both, too.

The page computes nothing of k-means. Steps are those of :func:`~sklearn_lloyd.lloyd_steps`, the
rest is :class:`~sklearn_lloyd.KMeans`, :class:`~sklearn_lloyd.model_selection.NClustersSearch`,
:func:`~sklearn_lloyd.metrics.silhouette_samples` and :func:`~sklearn_lloyd.inspection.diagnose`.
"""

from sklearn_lloyd.playground._main import main

__all__ = ["main"]
