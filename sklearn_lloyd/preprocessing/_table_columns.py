"""The TableColumns transformer: a ColumnTransformer that says what it does."""

from __future__ import annotations

from textwrap import TextWrapper

from sklearn.compose import ColumnTransformer

from sklearn_lloyd._base import VersionedPickle

_WIDTH = 96


class TableColumns(VersionedPickle, ColumnTransformer):
    """A ColumnTransformer that says of each column of the table what becomes of it.

    :func:`table_pipeline` makes it, as the first step of a pipeline. It is fitted, and takes
    rows, as a :class:`~sklearn.compose.ColumnTransformer` does. ``print`` shows the notes.

    Parameters
    ----------
    transformers : list of tuples, default=()
        Names, transformers and columns, as of a ColumnTransformer.

    notes : dict of str to str, default=None
        What becomes of each column, in words.

    Attributes
    ----------
    transformers_ : list
        The fitted transformers, as of a ColumnTransformer, which has other attributes besides.

    n_features_in_ : int
        Number of columns of the table.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if the table was a frame with names that are all strings.

    See Also
    --------
    table_pipeline : Decides what becomes of each column.

    References
    ----------
    Huang, Z. "Extensions to the k-means algorithm for clustering large data sets with categorical
    values". Data Mining and Knowledge Discovery 2, 1998.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_lloyd.preprocessing import TableColumns
    >>> notes = {"age": "z-scores", "id": "left out: numbers the rows"}
    >>> print(TableColumns([("numbers", StandardScaler(), ["age"])], notes=notes))
    age  z-scores
    id   left out: numbers the rows
    """

    _parameter_constraints: dict = {
        **ColumnTransformer._parameter_constraints,
        "notes": [dict, None],
    }

    def __init__(self, transformers=(), *, notes=None):
        super().__init__(transformers, sparse_threshold=0.0, verbose_feature_names_out=False)
        self.notes = notes

    def __str__(self):
        notes = self.notes or {}
        width = max(map(len, notes), default=0) + 2
        wrapper = TextWrapper(_WIDTH, subsequent_indent=" " * width)
        return "\n".join(
            line for name, note in notes.items() for line in wrapper.wrap(f"{name:{width}}{note}")
        )
