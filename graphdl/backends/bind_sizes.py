"""Symbolic sizes get their numbers, from the shapes of the data that a run is given.

An input `x[B, 3]` and an array of shape (32, 3) give `B = 32`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..errors import DataError
from ..passes.fused import Fused
from ..program import Dim, Input, Op, Program, Size, Value, evaluate
from ..program.primitives import Div, Extent, Gather, Iota, Scan, Sum

Shape = tuple[int, ...]


class ShapeMismatch(DataError):  # noqa: N818 - named by its fact
    """An array whose shape is not what the program declares for its input."""

    def __init__(self, field: str, expected: str, got: str) -> None:
        self.field, self.expected, self.got = field, expected, got
        super().__init__(f"`{field}` must have the shape {expected}, got {got}")


def bind_sizes(inputs: Sequence[Input], shapes: Mapping[str, Shape]) -> dict[str, int]:
    """The number behind every size name in the data inputs, given the shape of each array.

    The batch may be absent: an axis `2*T` binds `T`, an axis `T+1` too; anything harder is only
    checked, once every name in it is known.
    """
    sizes: dict[str, int] = {}
    pending: list[tuple[Input, Dim, int]] = []
    for item in inputs:
        if item.role == "data":
            pending += _axes(item, shapes)
    while pending:
        rest = [axis for axis in pending if not _settle(axis, sizes, shapes)]
        if len(rest) == len(pending):
            raise _mismatch(rest[0][0], shapes, sizes)
        pending = rest
    return sizes


def require_steps(program: Program, sizes: Mapping[str, int]) -> None:
    """DataError where a length is too short, or too long, for what the program does with it.

    No examples at all are fine: what is computed of them is empty as well.
    """
    if sizes.keys() <= {"B"}:
        return
    _require_positions(program, sizes)
    some = {**sizes, "B": max(sizes.get("B", 1), 1)}
    nothing: dict[Value, Dim] = {}
    for op in _every(program.ops):
        least_sizes = (*((dim, 0) for dim in op.out.type.shape), *op.primitive.needs(op.args))
        for dim, least in (*least_sizes, *_divided(op, nothing, some)):
            if isinstance(dim, Size) and evaluate(dim, some) < least:
                given = ", ".join(f"{n} = {sizes[n]}" for n in sorted(dim.names() - {"B"}))
                where = f"`{op.origin}`" if op.origin else "the model"
                raise DataError(f"{given} is too short for {where}")


def _every(ops: Iterable[Op]) -> Iterator[Op]:
    """Operations one by one, those of groups and of the bodies of scans too."""
    for op in ops:
        if isinstance(op.primitive, Fused):
            yield from op.primitive.expand(op)
            continue
        if isinstance(op.primitive, Scan):
            yield from _every(op.primitive.body.ops)
        yield op


def _divided(
    op: Op, nothing: dict[Value, Dim], sizes: Mapping[str, int]
) -> Iterator[tuple[Dim, int]]:
    """The size that is 0 where this divides by it: nothing is the sum of nothing, but has no mean.

    `nothing` collects, in order, the numbers that are 0 because there are no steps to count.
    """
    dims: tuple[Dim, ...] = ()
    match op.primitive:
        case Extent(dim=dim):
            dims = (dim,)
        case Sum(axes=axes):
            dims = tuple(op.args[0].type.shape[axis] for axis in axes)
        case Div() if op.args[1] in nothing:
            yield nothing[op.args[1]], 1
        case primitive if primitive.zero_at_zero:
            dims = tuple(nothing[arg] for arg in op.args if arg in nothing)
    for dim in dims:
        if evaluate(dim, sizes) == 0:
            nothing[op.out] = dim


def _require_positions(program: Program, sizes: Mapping[str, int]) -> None:
    """DataError where steps are counted further than a table of positions has rows."""
    counted = {op.out: op for op in program.ops if isinstance(op.primitive, Iota)}
    for op in program.ops:
        if not isinstance(op.primitive, Gather) or op.args[1] not in counted:
            continue
        rows, (length, *_) = op.args[0].type.shape[0], op.args[1].type.shape
        if evaluate(length, sizes) > evaluate(rows, sizes):
            raise DataError(
                f"{length} = {evaluate(length, sizes)} is more than the {evaluate(rows, sizes)} "
                f"positions of `{op.origin}`: cut the sequences, or give it more"
            )


def _axes(item: Input, shapes: Mapping[str, Shape]) -> list[tuple[Input, Dim, int]]:
    if item.key not in shapes:
        raise DataError(f"`{item.key}` is missing from the data")
    shape, declared = shapes[item.key], item.value.type.shape
    if len(shape) != len(declared):
        raise _mismatch(item, shapes, {})
    return [(item, dim, length) for dim, length in zip(declared, shape, strict=True)]


def _settle(
    axis: tuple[Input, Dim, int], sizes: dict[str, int], shapes: Mapping[str, Shape]
) -> bool:
    """Bind or check one axis; False when it must wait for another one."""
    item, dim, length = axis
    unknown = dim.names() - sizes.keys() if isinstance(dim, Size) else frozenset()
    if not unknown:
        if evaluate(dim, sizes) != length:
            raise _mismatch(item, shapes, sizes)
        return True
    found = _solve(dim, next(iter(unknown)), length, sizes) if len(unknown) == 1 else None
    if found is not None:
        sizes[next(iter(unknown))] = found
    return found is not None


def _solve(dim: Dim, name: str, length: int, sizes: Mapping[str, int]) -> int | None:
    """The whole number for `name` at which `dim` is `length`, when `dim` is linear in it."""
    if isinstance(dim, Size) and any(not isinstance(a, str) for m, _ in dim.terms for a in m):
        return None
    at_zero = evaluate(dim, {**sizes, name: 0})
    slope = evaluate(dim, {**sizes, name: 1}) - at_zero
    if slope == 0:
        return None
    value = (length - at_zero) // slope
    fits = value >= 0 and evaluate(dim, {**sizes, name: value}) == length
    return value if fits else None


def _mismatch(item: Input, shapes: Mapping[str, Shape], sizes: Mapping[str, int]) -> ShapeMismatch:
    """The declared shape with the numbers known so far (`[B=32, 784]`) beside the one that came."""
    parts = []
    for dim in item.value.type.shape:
        known = isinstance(dim, Size) and dim.names() <= sizes.keys()
        parts.append(f"{dim}={evaluate(dim, sizes)}" if known else str(dim))
    return ShapeMismatch(item.key, f"[{', '.join(parts)}]", str(list(shapes[item.key])))
