"""The plainest way to run a program, a new array for every value: the measure for all others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy

from .primitive import Array
from .program import Kind, Op, Program, Value
from .size import evaluate


def run(
    program: Program,
    sizes: Mapping[str, int],
    data: Mapping[str, Array],
    dtype: str = "float64",
) -> dict[str, Array]:
    """The outputs by name, and for each update `target.key` the new value under that key.

    `data` holds every input by its key.
    """
    kinds = {"float": dtype, "int": "int64", "bool": "bool"}
    arrays: dict[Value, Array] = {}
    for given in program.inputs:
        arrays[given.value] = numpy.ascontiguousarray(
            data[given.key], dtype=kinds[given.value.type.kind]
        ).reshape(tuple(evaluate(dim, sizes) for dim in given.value.type.shape))
    for op in program.ops:
        arrays[op.out] = _computed(op, dict(sizes), [arrays[arg] for arg in op.args], kinds)
    keys = {given.value: given.key for given in program.inputs}
    results = {keys[update.target]: arrays[update.value] for update in program.updates}
    return results | {name: arrays[value] for name, value in program.outputs}


def _computed(op: Op, sizes: dict[str, int], args: list[Array], kinds: Mapping[str, str]) -> Array:
    if op.primitive.view:
        result = op.primitive.alias(numpy, sizes, args[0])
        assert result.size == 0 or numpy.shares_memory(result, args[0]), f"a copy: {op}"
        return result
    shape = tuple(evaluate(dim, sizes) for dim in op.out.type.shape)
    out = _garbage(shape, kinds[op.out.type.kind])

    def scratch(shape: tuple[int, ...], kind: Kind) -> Array:
        return _garbage(shape, kinds[kind])

    for call in list(op.primitive.kernel(numpy, scratch, sizes, out, *args)):
        call()
    return out


def _garbage(shape: tuple[int, ...], dtype: str) -> Array:
    """New memory full of nonsense, so that a kernel that forgets to write is seen."""
    return numpy.full(shape, numpy.nan if dtype.startswith("float") else -(7**9), dtype)
