"""Which values share memory: every view is traced to the buffer it looks into, for given sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from ..program import Array, Kind, Op, Program, Type, Value, evaluate

Span = tuple[int, tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Layout:
    """Of one program at one binding.

    roots    the value whose buffer a value lives in (itself, when it is not a view)
    spans    offset in bytes, shape and strides of a value in that buffer
    copies   results of view operations that cannot be views here and need a buffer of their own
    """

    roots: dict[Value, Value]
    spans: dict[Value, Span]
    copies: frozenset[Value]


def dtypes(precision: str) -> dict[Kind, np.dtype[np.generic]]:
    """The dtype behind every kind, `precision` being float32 or float64."""
    return {"float": np.dtype(precision), "int": np.dtype("int64"), "bool": np.dtype("bool")}


def concrete(shape: Type, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape in numbers."""
    return tuple(evaluate(dim, sizes) for dim in shape.shape)


def nbytes(
    value: Value, sizes: Mapping[str, int], kinds: Mapping[Kind, np.dtype[np.generic]]
) -> int:
    """Size of the value's own buffer."""
    return prod(concrete(value.type, sizes)) * kinds[value.type.kind].itemsize


def lay_out(program: Program, sizes: dict[str, int], precision: str) -> Layout:
    """Trace every view of the program.

    The primitives themselves say what a view is: each `alias` is applied to arrays that stand in
    for the buffers. They all start at the same address of memory that is never touched.
    """
    tracer = _Tracer(program, sizes, precision)
    for item in program.inputs:
        tracer.own(item.value)
    for op in program.ops:
        tracer.trace(op)
    return Layout(tracer.roots, tracer.spans, frozenset(tracer.copies))


class _Tracer:
    def __init__(self, program: Program, sizes: dict[str, int], precision: str) -> None:
        self.sizes, self.kinds = sizes, dtypes(precision)
        values = [i.value for i in program.inputs] + [op.out for op in program.ops]
        largest = max((nbytes(v, sizes, self.kinds) for v in values), default=0)
        self.memory = np.empty(largest + 16, dtype=np.uint8)
        self.start = self.memory.__array_interface__["data"][0]
        self.arrays: dict[Value, Array] = {}
        self.roots: dict[Value, Value] = {}
        self.spans: dict[Value, Span] = {}
        self.copies: set[Value] = set()

    def own(self, value: Value) -> None:
        """Give the value a buffer of its own."""
        dtype, shape = self.kinds[value.type.kind], concrete(value.type, self.sizes)
        array = np.ndarray(shape, dtype, self.memory)
        self._place(value, value, array)

    def trace(self, op: Op) -> None:
        """Find the buffer of an operation's result."""
        if not op.primitive.view:
            return self.own(op.out)
        source = op.args[0]
        array = op.primitive.alias(np, self.sizes, self.arrays[source])
        if array.size and not np.may_share_memory(array, self.memory):
            self.copies.add(op.out)
            return self.own(op.out)
        return self._place(op.out, self.roots[source], array)

    def _place(self, value: Value, root: Value, array: Array) -> None:
        self.arrays[value], self.roots[value] = array, root
        offset = array.__array_interface__["data"][0] - self.start if array.size else 0
        self.spans[value] = (offset, array.shape, array.strides)
