"""The kernel of a contraction without windows: one (batched) matrix product over views.

The trailing axes of the result that come from one operand are the columns, those before them that
come from the other are the rows, whatever remains is a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from math import prod
from types import ModuleType

from ..primitive import Array, Call, Scratch

Labels = tuple[str, ...]
Operand = tuple[Labels, Array]


def product_calls(
    xp: ModuleType, scratch: Scratch, left: Operand, right: Operand, out: Operand
) -> Iterator[Call]:
    """The calls that sum left * right over the labels which `out` lacks."""
    if prod(left[1].shape) == 0 or prod(right[1].shape) == 0:
        yield partial(out[1].fill, 0)
        return
    batch, rows, columns, swapped = _roles(left[0], right[0], out[0])
    first, second = (right, left) if swapped else (left, right)
    inner = _inner_order(first, second, out[0], rows, columns)
    a, copies = _matrix(xp, scratch, first, batch, rows, inner)
    yield from copies
    b, copies = _matrix(xp, scratch, second, batch, inner, columns)
    yield from copies
    target = _ordered(out, (*batch, *rows, *columns))
    shape = (*target.shape[: len(batch)], *_merged_shape(target, len(batch), len(rows)))
    if target.flags.c_contiguous:
        yield partial(xp.matmul, a, b, out=target.reshape(shape))
        return
    result = scratch(shape, "float")
    yield partial(xp.matmul, a, b, out=result)
    yield partial(xp.copyto, target, result.reshape(target.shape))


def _roles(left: Labels, right: Labels, out: Labels) -> tuple[Labels, Labels, Labels, bool]:
    """Batch, row and column labels, and whether the rows come from the right operand."""
    sides = [(label in left) - (label in right) for label in out]
    column_side = sides[-1] if sides else 0
    start = _run(sides, len(out), column_side)
    middle = _run(sides, start, -column_side)
    return out[:middle], out[middle:start], out[start:], column_side > 0


def _run(sides: list[int], end: int, side: int) -> int:
    """Where the run of labels of one side that ends at `end` begins; shared labels make none."""
    start = end
    while side and start and sides[start - 1] == side:
        start -= 1
    return start


def _inner_order(
    first: Operand, second: Operand, out: Labels, rows: Labels, columns: Labels
) -> Labels:
    """The summed labels in the order that lets more numbers be read where they lie."""
    summed = [tuple(la for la in labels if la not in out) for labels in (first[0], second[0])]

    def cost(inner: Labels) -> int:
        return _copied(first, rows, inner) + _copied(second, inner, columns)

    return min(summed, key=cost)


def _copied(operand: Operand, rows: Labels, columns: Labels) -> int:
    batch = tuple(label for label in operand[0] if label not in (*rows, *columns))
    view = _ordered(operand, (*batch, *rows, *columns))
    return 0 if _as_matrix(view, len(batch), len(rows)) else int(view.size)


def _ordered(operand: Operand, labels: Labels) -> Array:
    return operand[1].transpose([operand[0].index(label) for label in labels])


def _matrix(
    xp: ModuleType,
    scratch: Scratch,
    operand: Operand,
    batch: Labels,
    rows: Labels,
    columns: Labels,
) -> tuple[Array, list[Call]]:
    """The operand as matrices [batch..., rows, columns] that BLAS can read, copied if need be."""
    own = tuple(label for label in batch if label in operand[0])
    view = _ordered(operand, (*own, *rows, *columns))
    calls: list[Call] = []
    layout = _as_matrix(view, len(own), len(rows))
    if layout is None:
        view, calls = _copy(xp, scratch, view, len(own), len(rows))
        layout = _as_matrix(view, len(own), len(rows))
        assert layout is not None, view.strides
    shape, strides = list(view.shape[: len(own)]), list(view.strides[: len(own)])
    for place, label in enumerate(batch):
        if label not in own:
            shape.insert(place, 1)
            strides.insert(place, 0)
    shape += layout[0]
    strides += layout[1]
    return xp.lib.stride_tricks.as_strided(view, tuple(shape), tuple(strides)), calls


def _copy(
    xp: ModuleType, scratch: Scratch, view: Array, batch: int, rows: int
) -> tuple[Array, list[Call]]:
    """A copy with merged rows and columns; the one that is read in steps stays innermost."""
    order = list(range(view.ndim))
    if _steps(view, batch, batch + rows) < _steps(view, batch + rows, view.ndim):
        order = [*order[:batch], *order[batch + rows :], *order[batch : batch + rows]]
    turned = view.transpose(order)
    copy = scratch(turned.shape, "float")
    back = sorted(range(view.ndim), key=order.__getitem__)
    return copy.transpose(back), [partial(xp.copyto, copy, turned)]


def _steps(view: Array, start: int, stop: int) -> tuple[float, int]:
    """Rank of a group of axes as the innermost one: small stride first, then large extent."""
    long = [i for i in range(start, stop) if view.shape[i] > 1]
    return (abs(view.strides[long[-1]]), -view.shape[long[-1]]) if long else (float("inf"), 0)


def _merged_shape(view: Array, batch: int, rows: int) -> tuple[int, int]:
    middle = batch + rows
    return prod(view.shape[batch:middle]), prod(view.shape[middle:])


def _as_matrix(
    view: Array, batch: int, rows: int
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Shape and strides of the merged rows and columns if BLAS can read them in place."""
    middle = batch + rows
    row = _merged_stride(view.shape[batch:middle], view.strides[batch:middle])
    column = _merged_stride(view.shape[middle:], view.strides[middle:])
    if row is None or column is None:
        return None
    height, width = shape = _merged_shape(view, batch, rows)
    item = view.itemsize
    # The stride of an axis of size 1 means nothing; give it one that BLAS likes.
    column = (item if height == 1 or row != item else height * item) if width == 1 else column
    row = (item if column != item else width * item) if height == 1 else row
    if (column == item and row >= width * item) or (row == item and column >= height * item):
        return shape, (row, column)
    return None


def _merged_stride(shape: tuple[int, ...], strides: tuple[int, ...]) -> int | None:
    """The stride of axes taken as one, or None where they do not lie one inside the other."""
    kept = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    if any(outer != n * inner for (_, outer), (n, inner) in pairwise(kept)):
        return None
    return kept[-1][1] if kept else 0
