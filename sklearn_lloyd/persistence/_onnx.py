"""Models as ONNX, which other languages and servers run without Python."""

from __future__ import annotations

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._columns import column_labels, is_frame
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._minibatch_kmeans import MiniBatchKMeans
from sklearn_lloyd._optional import import_optional
from sklearn_lloyd._pipeline import split_steps
from sklearn_lloyd.preprocessing import ClusterScaler
from sklearn_lloyd.preprocessing._apply import or_infinite

# Words of errors of skl2onnx, and what to do.
_ADVICE = {
    "FunctionTransformer is not supported": "ONNX cannot hold the function of a "
    "FunctionTransformer. Leave the step out, and apply the function to the rows before they go "
    "to the ONNX model: if it is the first step, to_onnx(estimator[1:]).",
    "TableColumns": "ONNX has no form for the first step of table_pipeline. Take the rows through "
    "it, estimator[:-1].transform(rows), before they go to the ONNX model of the rest: "
    "to_onnx(estimator[-1]).",
    "Unable to find column name": "The steps take columns of a frame by name: give some rows of "
    "it, to_onnx(estimator, X), so that each column is an input of the model.",
}


def to_onnx(estimator, X=None, *, dtype="float64"):
    """Make an ONNX model of a fitted k-means, or of a Pipeline that ends in one.

    Parameters
    ----------
    estimator : KMeans, MiniBatchKMeans, Pipeline or a search
        Fitted. Steps before the k-means may be :class:`~sklearn_lloyd.preprocessing.ClusterScaler`
        and what skl2onnx knows of scikit-learn. Of a search it is the best estimator.

    X : frame, default=None
        Some rows, if the steps take columns of a frame by name: each column of the fit is then an
        input of the model, of shape (n_samples, 1), of texts or of numbers. skl2onnx renames
        inputs whose names are no identifiers: "my spend" is 'my_spend'. None: one input, 'X'.

    dtype : {'float64', 'float32'}, default='float64'
        Of the numbers that the model takes, and of the distances that it gives. The imputers of
        skl2onnx are for 'float32'.

    Returns
    -------
    model : onnx.ModelProto
        Its outputs are 'label', int64 of shape (n_samples,), and 'scores', the distances to the
        centres, of shape (n_samples, n_clusters). ``model.SerializeToString()`` are the bytes of
        a file.

    Raises
    ------
    ImportError
        If skl2onnx is missing: ``pip install "sklearn-lloyd[onnx]"``.

    TypeError
        If it is another estimator, or X no frame; if a step cannot be converted, such as a
        FunctionTransformer with a function, or takes columns by name and X is None.

    sklearn.exceptions.NotFittedError
        If it is not fitted.

    Notes
    -----
    Our steps compute in float64 in both cases, about a point near the centres. ONNX has no way to
    decide near ties as :meth:`KMeans.predict` does: a row whose two nearest centres are as far to
    the last digits may get the other one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.persistence import to_onnx
    >>> model = KMeans(n_clusters=2, random_state=0).fit([[0.0], [1.0], [9.0]])
    >>> import onnxruntime
    >>> session = onnxruntime.InferenceSession(to_onnx(model).SerializeToString())
    >>> labels, distances = session.run(None, {"X": np.array([[0.2], [8.0]])})
    >>> labels == model.predict([[0.2], [8.0]])
    array([ True,  True])
    """
    if dtype not in ("float64", "float32"):
        raise ValueError(f"dtype={dtype!r} must be 'float64' or 'float32'.")
    steps, clusterer = split_steps(estimator)
    if type(clusterer) not in (KMeans, MiniBatchKMeans):
        raise TypeError(
            f"to_onnx takes a KMeans or MiniBatchKMeans of sklearn_lloyd, or a Pipeline that ends "
            f"in one; got {type(clusterer).__name__}."
        )
    check_is_fitted(clusterer)
    convert = import_optional("skl2onnx", extra="onnx").convert_sklearn
    model, inputs = _with_inputs([*steps, clusterer], X, dtype)
    kinds = KMeans, MiniBatchKMeans
    try:
        return convert(
            model,
            name=type(clusterer).__name__,
            initial_types=inputs,
            custom_conversion_functions=dict.fromkeys(kinds, _convert_clusters)
            | {ClusterScaler: _convert_scaler},
            custom_shape_calculators=dict.fromkeys(kinds, _shapes_of_clusters)
            | {ClusterScaler: _shape_of_scaler},
        )
    except RuntimeError as error:
        advice = [says for words, says in _ADVICE.items() if words in str(error)]
        if advice:
            raise TypeError(advice[0]) from error
        raise


def _with_inputs(steps, X, dtype):
    """The steps as a Pipeline, and the names and types of what goes in."""
    model = make_pipeline(*steps)
    types = import_optional("skl2onnx.common.data_types", extra="onnx")
    numbers = types.DoubleTensorType if dtype == "float64" else types.FloatTensorType
    if X is None:
        return model, [("X", numbers([None, model.n_features_in_]))]
    if not is_frame(X):
        raise TypeError(f"X must be a frame or None; got {type(X).__name__}.")
    names = list(getattr(model, "feature_names_in_", column_labels(X)))
    are_numbers = [np.asarray(X[name]).dtype.kind in "fiub" for name in names]
    before, last = split_steps(steps[0])
    if all(are_numbers) and not isinstance([*before, last][0], ColumnTransformer):
        # Of several inputs most converters take the first, or join them in float32.
        joined = ColumnTransformer([("all", "passthrough", names)]).fit(X)
        model = make_pipeline(joined, *steps)
    # Of one type: runtimes do not join columns of several.
    return model, [
        (str(name), (numbers if is_number else types.StringTensorType)([None, 1]))
        for name, is_number in zip(names, are_numbers, strict=True)
    ]


def _shapes_of_clusters(operator):
    n_rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type.shape = [n_rows]
    operator.outputs[1].type.shape = [n_rows, len(operator.raw_operator.cluster_centers_)]


def _shape_of_scaler(operator):
    types = import_optional("skl2onnx.common.data_types", extra="onnx")
    given = operator.inputs[0].type
    is_float = isinstance(given, types.FloatTensorType)
    kind = types.FloatTensorType if is_float else types.DoubleTensorType
    operator.outputs[0].type = kind(given.shape)


class _Graph:
    """Nodes that compute in float64, whatever comes in; a node by its name in ONNX."""

    def __init__(self, container, operator):
        self._version = container.target_opset
        self._nodes = import_optional("skl2onnx.algebra.onnx_ops", extra="onnx")
        self._proto = import_optional("onnx", extra="onnx").TensorProto
        self.X = self.Cast(operator.inputs[0], to=self._proto.DOUBLE)

    def __getattr__(self, name):
        node = getattr(self._nodes, f"Onnx{name}")
        return lambda *inputs, **options: node(*inputs, op_version=self._version, **options)

    def as_output(self, node, variable):
        """The node, in the type of an output of the operator."""
        is_float = type(variable.type).__name__ == "FloatTensorType"
        to = self._proto.FLOAT if is_float else self._proto.DOUBLE
        return self.Cast(node, to=to, output_names=[variable])


def _convert_clusters(scope, operator, container):
    """Squared distances by products, about the mean of the centres: large offsets cancel."""
    graph = _Graph(container, operator)
    centers = operator.raw_operator.cluster_centers_.astype(np.float64)
    shift = centers.mean(axis=0)
    centers = centers - shift
    rows = graph.Sub(graph.X, shift)
    products = graph.MatMul(rows, -2.0 * centers.T)
    partial = graph.Add(products, np.einsum("ij,ij->i", centers, centers))
    label, scores = operator.outputs
    graph.ArgMin(partial, axis=1, keepdims=0, output_names=[label]).add_to(scope, container)
    norms = graph.ReduceSumSquareApi18(rows, axes=[1], keepdims=1)
    squares = graph.Max(graph.Add(partial, norms), np.zeros(1))
    graph.as_output(graph.Sqrt(squares), scores).add_to(scope, container)


def _convert_scaler(scope, operator, container):
    """What `Scaling.apply` does, in its order."""
    graph, scaler = _Graph(container, operator), operator.raw_operator
    values = graph.X
    if scaler.clip_bounds_ is not None:
        values = graph.Min(graph.Max(values, scaler.clip_bounds_[0]), scaler.clip_bounds_[1])
    if scaler.center_ is not None:
        values = graph.Sub(values, scaler.center_)
    if scaler.scale_ is None:
        norms = graph.Sqrt(graph.ReduceSumSquareApi18(values, axes=[1], keepdims=1))
        # Rows of zeros stay: they are divided by the least number in place of zero.
        norms = graph.Max(norms, np.array([np.finfo(np.float64).tiny]))
        values = graph.Div(values, norms)
    else:
        values = graph.Div(values, or_infinite(scaler.scale_))
    if scaler.whitening_ is not None:
        values = graph.MatMul(values, scaler.whitening_)
    if (scaler.feature_weights_ != 1.0).any():
        values = graph.Mul(values, np.sqrt(scaler.feature_weights_))
    graph.as_output(values, operator.outputs[0]).add_to(scope, container)
