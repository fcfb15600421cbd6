"""Operands of a pointwise group cut into blocks that stay in the cache between its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ..program import Array

# Elements of a block: a few operands and temporaries of it fit the second-level cache.
BLOCK = 1 << 16
# Below this a single pass is faster: everything stays in the cache anyway.
SINGLE = 1 << 17

Index = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """The part of the result and of every operand (None: not an array yet) that belong together."""

    out: Array
    operands: tuple[Array | None, ...]


class Blocks(Sequence[Block]):
    """Blocks of the same operands, each cut out when it is asked for."""

    def __init__(
        self, out: Array, operands: Sequence[Array | None], indices: Sequence[Index]
    ) -> None:
        self._out, self._operands, self._indices = out, operands, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, place: Any) -> Any:
        index = self._indices[place]
        parts = [o if o is None or o.ndim == 0 else o[index] for o in self._operands]
        return Block(self._out[index], tuple(parts))


def blocks(
    xp: ModuleType, out: Array, operands: Sequence[Array | None]
) -> tuple[Sequence[Block], Sequence[Block]]:
    """Cut the iteration space of `out`; on a device, and when it is small, there is one block.

    The first blocks are of one size and follow each other at equal distances; then come the others.
    Operands have the shape of `out` or are scalars. Axes are merged where the strides of all
    operands allow it: most groups end up one-dimensional.
    """
    if xp is not np:
        return [], [Block(out, tuple(operands))]
    if out.size == 0:
        return [], []
    if out.size <= SINGLE:
        return [], [Block(out, tuple(_number(o) for o in operands))]
    full = [o for o in operands if o is not None and o.shape == out.shape and _varies(o)]
    axes = _merged(out.shape, [a.strides for a in (out, *full)])
    shape = tuple(length for length, _ in axes)

    def merged(array: Array | None) -> Array | None:
        if array is None or array.ndim == 0 or array.shape != out.shape:
            return array if array is not None and array.ndim == 0 else None
        varies = axes if _varies(array) else []
        strides = tuple(array.strides[axis] for _, axis in varies)
        return np.lib.stride_tricks.as_strided(array, shape if varies else (), strides)

    whole = np.lib.stride_tricks.as_strided(out, shape, [out.strides[axis] for _, axis in axes])
    parts = [merged(o) for o in operands]
    run, rest = _indices(shape)
    return Blocks(whole, parts, run), Blocks(whole, parts, rest)


def _number(array: Array | None) -> Array | None:
    """A number that is repeated without its axes: NumPy is faster then."""
    if array is None or array.size == 1 or _varies(array):
        return array
    return array[(*(0,) * array.ndim, ...)]


def _varies(array: Array) -> bool:
    return any(s and n > 1 for s, n in zip(array.strides, array.shape, strict=True))


def _merged(shape: tuple[int, ...], strides: Sequence[tuple[int, ...]]) -> list[tuple[int, int]]:
    """The iteration space with neighbouring axes merged: (length, axis whose stride it has)."""
    axes: list[tuple[int, int]] = []
    for axis, length in enumerate(shape):
        if length == 1:
            continue
        previous = axes[-1] if axes else None
        if previous and all(s[previous[1]] == s[axis] * length for s in strides):
            axes[-1] = (previous[0] * length, axis)
        else:
            axes.append((length, axis))
    return axes


def _indices(shape: tuple[int, ...]) -> tuple[list[Index], list[Index]]:
    """Indices of the blocks: whole inner axes, a range of one axis, single outer places."""
    cut, inner = len(shape) - 1, 1
    while cut > 0 and inner * shape[cut] <= BLOCK:
        inner *= shape[cut]
        cut -= 1
    rows = max(1, BLOCK // inner)
    ranges = [slice(start, start + rows) for start in range(0, shape[cut], rows)]
    if cut == 0:
        whole = shape[0] // rows
        return [(r,) for r in ranges[:whole]], [(r,) for r in ranges[whole:]]
    return [], [(*outer, r) for outer in np.ndindex(*shape[:cut]) for r in ranges]
