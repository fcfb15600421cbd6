"""Products over windows a few rows at a time, so that what is copied out stays in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import prod
from types import ModuleType

from ..primitive import Array, Call, Scratch
from ..program import Kind
from .matmul import Operand, product_calls
from .spec import Window

BLOCK = 768 * 1024  # bytes of windows copied out at a time; a second-level cache holds them


def windowed_product_calls(
    xp: ModuleType, scratch: Scratch, left: Operand, right: Operand, out: Operand, window: Window
) -> Iterator[Call]:
    """The product of windows (views of their source in `left`), in blocks.

    They are of examples where these come first, else of `window`'s positions. Where the result has
    such an axis, each block makes a part of it; where it is summed over, the blocks are added up.
    """
    narrow = right if window.position in right[0] else out
    cut = left[0][0] if left[0][0] in narrow[0] else window.position
    rows = _rows(left, cut)
    count = left[1].shape[left[0].index(cut)]
    if rows >= count:
        yield from product_calls(xp, scratch, left, right, out)
        return
    again = _Again(scratch)
    summed = cut not in out[0]
    part = again(out[1].shape, "float") if summed else None
    for start in range(0, count, rows):
        again.restart(keep=int(summed))
        parts = [_cut(o, cut, slice(start, start + rows)) for o in (left, right, out)]
        if part is None or start == 0:
            yield from product_calls(xp, again, *parts)
        else:
            yield from product_calls(xp, again, parts[0], parts[1], (out[0], part))
            yield partial(xp.add, out[1], part, out[1])


def _rows(left: Operand, label: str) -> int:
    labels, view = left
    count = view.shape[labels.index(label)]
    return max(1, BLOCK * int(count) // max(int(view.nbytes), 1))


def _cut(operand: Operand, label: str, rows: slice) -> Operand:
    labels, array = operand
    if label not in labels:
        return operand
    return labels, array[(slice(None),) * labels.index(label) + (rows,)]


class _Again:
    """Scratch that gives every block the memory of the block before."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._given: list[tuple[Kind, Array]] = []
        self._next = 0

    def restart(self, keep: int) -> None:
        """The next block begins; the first `keep` arrays are not its to use."""
        self._next = keep

    def __call__(self, shape: tuple[int, ...], kind: Kind) -> Array:
        place, count = self._next, prod(shape)
        self._next += 1
        if place < len(self._given):
            known, memory = self._given[place]
            if known == kind and memory.size >= count:
                return memory[:count].reshape(shape)
        memory = self._scratch((count,), kind)
        self._given[place : place + 1] = [(kind, memory)]
        return memory.reshape(shape)
