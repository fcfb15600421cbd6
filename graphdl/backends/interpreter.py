"""A program run operation by operation, each result in an array of its own: the plain meaning.

Slow and simple. Steps that may go wrong are tried with it, and tests compare schedules with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType

import numpy as np

from ..passes.fused import Fused
from ..passes.layout import concrete, dtypes
from ..program import Array, Kind, Op, Program, Value
from .bind_sizes import bind_sizes
from .transfer import fill, host


def interpret(
    program: Program,
    xp: ModuleType,
    dtype: str,
    store: Mapping[str, Array],
    data: Mapping[str, Array],
    scalars: Mapping[str, float],
) -> Iterator[tuple[Op, Array]]:
    """Every operation with its result, in order; fused groups are taken apart again."""
    kinds = dtypes(dtype)
    sizes = bind_sizes(program.inputs, {key: array.shape for key, array in data.items()})
    arrays: dict[Value, Array] = {}

    def scratch(shape: tuple[int, ...], kind: Kind) -> Array:
        return xp.empty(shape, dtype=kinds[kind])

    for item in program.inputs:
        array = scratch(concrete(item.value.type, sizes), item.value.type.kind)
        if item.role == "scalar":
            array.fill(scalars[item.key])
        else:
            fill(array, (data if item.role == "data" else store)[item.key])
        arrays[item.value] = array
    for op in _unfused(program):
        args = [arrays[arg] for arg in op.args]
        if op.primitive.view:
            result = op.primitive.alias(xp, sizes, args[0])
        else:
            result = scratch(concrete(op.out.type, sizes), op.out.type.kind)
            with np.errstate(all="ignore"):
                for call in op.primitive.kernel(xp, scratch, sizes, result, *args):
                    call()
        arrays[op.out] = result
        yield op, result


def results(
    program: Program,
    xp: ModuleType,
    dtype: str,
    store: Mapping[str, Array],
    data: Mapping[str, Array],
    scalars: Mapping[str, float],
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Outputs by name and new values by key of weight or state, all as host arrays."""
    kinds = dtypes(dtype)
    found: dict[Value, Array] = {}
    for item in program.inputs:
        source = {"data": data, "scalar": scalars}.get(item.role, store)[item.key]
        array = host(source) if hasattr(source, "shape") else np.asarray(source)
        found[item.value] = array.astype(kinds[item.value.type.kind])
    for op, array in interpret(program, xp, dtype, store, data, scalars):
        found[op.out] = np.array(host(array))
    keys = {i.value: i.key for i in program.inputs}
    outputs = {name: found[value] for name, value in program.outputs}
    return outputs, {keys[u.target]: found[u.value] for u in program.updates}


def _unfused(program: Program) -> Iterator[Op]:
    for op in program.ops:
        if isinstance(op.primitive, Fused):
            yield from op.primitive.expand(op)
        else:
            yield op
