"""The loop of k-means and its parts that can be exchanged."""

from sklearn_lloyd._solvers._ahead import AheadAssigner, can_go_ahead
from sklearn_lloyd._solvers._assign import ASSIGNERS, Assigner
from sklearn_lloyd._solvers._batch import PassingRows, assign_rows, label_kernel
from sklearn_lloyd._solvers._compiled import CompiledAssigner
from sklearn_lloyd._solvers._compiled_csr import CsrAssigner
from sklearn_lloyd._solvers._empty import labels_without_empty
from sklearn_lloyd._solvers._lloyd import lloyd
from sklearn_lloyd._solvers._minibatch import MovingCenters, StopRule
from sklearn_lloyd._solvers._stream import StreamAssigner

__all__ = [
    "ASSIGNERS",
    "AheadAssigner",
    "MovingCenters",
    "PassingRows",
    "StopRule",
    "StreamAssigner",
    "assign_rows",
    "label_kernel",
    "labels_without_empty",
    "lloyd",
    "make_assigner",
]

# Products in a pass, up to which bounds take longer than they save.
_LITTLE_WORK = 1 << 17
_LITTLE_IN_PYTHON = 1 << 22


def make_assigner(algorithm, problem):
    """The assigner of that name; "auto" takes bounds where they can save more than they cost."""
    if algorithm == "auto":
        n_rows, n_features = problem.chunks.shape
        work = n_rows * problem.n_clusters * n_features
        little = _LITTLE_IN_PYTHON if problem.chunks.compiled is None else _LITTLE_WORK
        algorithm = "hamerly" if problem.n_clusters > 1 and work > little else "lloyd"
    kind = Assigner
    if problem.chunks.compiled is not None:
        kind = CsrAssigner if problem.chunks.is_sparse else CompiledAssigner
        kind = AheadAssigner if can_go_ahead(problem) else kind
    return kind(problem, ASSIGNERS[algorithm])
