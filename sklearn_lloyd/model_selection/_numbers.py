"""The numbers of clusters to try: what the user wrote, and what the rows allow."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral

from sklearn_lloyd._init import n_distinct_up_to
from sklearn_lloyd._validation import warn_user


def check_numbers(n_clusters):
    """Validate numbers of clusters, or a single one.

    Returns
    -------
    numbers : list of int
        Increasing, each once.
    """
    if isinstance(n_clusters, Integral):
        n_clusters = [n_clusters]
    if not isinstance(n_clusters, Iterable) or isinstance(n_clusters, str):
        raise ValueError(
            f"n_clusters should be a number of clusters or several of them, such as range(1, 11); "
            f"got {n_clusters!r}."
        )
    numbers = list(n_clusters)
    if not numbers:
        raise ValueError("n_clusters is empty: give the numbers to try, such as range(1, 11).")
    for number in numbers:
        if not isinstance(number, Integral) or isinstance(number, bool) or number < 1:
            raise ValueError(
                f"n_clusters should hold whole numbers from 1 on, such as range(1, 11); got "
                f"{number!r} in it."
            )
    return sorted({int(number) for number in numbers})


def numbers_that_fit(numbers, problem):
    """Those of the numbers that there are enough distinct rows for; warn of the others.

    Rows without weight do not count.
    """
    n_distinct = n_distinct_up_to(numbers[-1], problem)
    if n_distinct == numbers[-1]:
        return numbers
    kept = [number for number in numbers if number <= n_distinct]
    if not kept:
        raise ValueError(
            f"n_clusters starts at {numbers[0]}, but X has {n_distinct} distinct rows (of "
            f"{problem.rows.shape[0]}) that have a weight: there cannot be more clusters than "
            "those."
        )
    dropped = ", ".join(map(str, numbers[len(kept) :]))
    warn_user(
        f"n_clusters={dropped} left out: X has {n_distinct} distinct rows (of "
        f"{problem.rows.shape[0]}) that have a weight.",
        UserWarning,
    )
    return kept
