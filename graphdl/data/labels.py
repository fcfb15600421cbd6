"""Numbers and labels as text files write them."""

from __future__ import annotations

import numpy as np

from .dataset import Array, Column


def number(text: str) -> float | None:
    """The number a cell holds, or None; Python's `1_000` is no number here.

    >>> number(" 1e3 "), number("1_000"), number("ten")
    (1000.0, None, None)
    """
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def label_column(values: Array) -> tuple[Array, Column]:
    """Labels with what is known of them: -1 and +1 are classes 0 and 1, whole numbers may be."""
    if not (values == np.floor(values)).all() or np.abs(values).max() >= 2**53:
        return values, Column("label")
    whole = values.astype(np.int64)
    if set(np.unique(whole).tolist()) == {-1, 1}:
        return (whole > 0).astype(np.int64), Column("label", classes=("-1", "+1"))
    return whole, Column("label", recode=True)


def renumbered(values: Array, known: Array) -> tuple[Array, tuple[str, ...]]:
    """Class ids for whole numbers: as they are where they count from 0, else in sorted order.

    `known` holds every number that occurs in any split.
    """
    least, most = int(known.min()), int(known.max())
    if least == 0 and most < 2 * len(known) + 1000:
        return values, tuple(map(str, range(most + 1)))
    return np.searchsorted(known, values), tuple(str(int(value)) for value in known)
