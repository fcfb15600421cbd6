"""Operands of a pointwise group cut into blocks that stay in the cache between its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ..program import Array

# Elements of a block: a few operands and temporaries of it fit the second-level cache.
BLOCK = 1 << 16
# Below this a single pass is faster: everything stays in the cache anyway.
SINGLE = 1 << 17


@dataclass(frozen=True, slots=True)
class Block:
    """The part of the result and of every operand (None: not an array yet) that belong together."""

    out: Array
    operands: tuple[Array | None, ...]


def blocks(xp: ModuleType, out: Array, operands: Sequence[Array | None]) -> Iterator[Block]:
    """Cut the iteration space of `out`; on a device, and when it is small, there is one block.

    Operands have the shape of `out` or are scalars. Axes are merged where the strides of all
    operands allow it: most groups end up one-dimensional.
    """
    if xp is not np:
        yield Block(out, tuple(operands))
        return
    if out.size == 0:
        return
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
    for index in _indices(shape):
        yield Block(whole[index], tuple(p if p is None or p.ndim == 0 else p[index] for p in parts))


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


def _indices(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    """Indices of the blocks: whole inner axes, a range of one axis, single outer places."""
    if np.prod(shape) <= SINGLE:
        yield (Ellipsis,)
        return
    cut, inner = len(shape) - 1, 1
    while cut > 0 and inner * shape[cut] <= BLOCK:
        inner *= shape[cut]
        cut -= 1
    rows = max(1, BLOCK // inner)
    for outer in np.ndindex(*shape[:cut]):
        for start in range(0, shape[cut], rows):
            yield (*outer, slice(start, start + rows))
