"""Tensor arithmetic per example: operands are aligned, then handed to the program builder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..graph import Shaped
from ..program import Dim, Size
from .padding import zeroed
from .values import BATCH, Fact, Flowing, Resolved, Tensor, Unknown, describe

if TYPE_CHECKING:
    from .tracer import Tracer

SYMBOLS = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "//": "floordiv",
    "%": "mod",
    "^": "power",
    "==": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "and": "logical_and",
    "or": "logical_or",
}
VERBS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}


def lift(t: Tracer, value: Any) -> Tensor:
    """A number or size as a tensor; tensors as they are."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, Size):
        if t.padding.concerns(value):
            return Tensor(t.padding.number(value), batched=True)
        return Tensor(t.builder.extent(value), batched=False)
    if isinstance(value, bool):
        return Tensor(t.builder.constant(value, "bool"), batched=False)
    if isinstance(value, int | float):
        if isinstance(value, int) and abs(value) > sys.float_info.max:
            raise Fact("E0309", "this number is too large for a tensor")
        return Tensor(t.builder.constant(value), batched=False)
    if isinstance(value, tuple):
        hint = "take the tuple apart: `a, b = ...`, or join it: `-> concat`"
        raise Fact("E0310", f"a single value is wanted here, this is {describe(value)}", hint)
    raise Fact("E0307", f"a value is wanted here, not {describe(value)}")


def pointwise(t: Tracer, method: str, *operands: Any, symbol: str = "") -> Flowing:
    """An elementwise function of the builder, with shapes aligned from the right."""
    unknown = [o for o in operands if isinstance(o, Unknown)]
    if unknown:
        return _with_unknown(t, unknown, operands)
    tensors = [lift(t, o) for o in operands]
    if method == "mul":
        method, tensors = _masked(t, tensors)
    _truths(method, tensors)
    shape = broadcast_shape([x.shape for x in tensors], symbol)
    batched = any(x.batched for x in tensors)
    values = [_at_rank(t, x, len(shape)) for x in tensors]
    return Tensor(getattr(t.builder, method)(*values), batched)


def _masked(t: Tracer, factors: list[Tensor]) -> tuple[str, list[Tensor]]:
    """A product with a mask as a choice: what stands at padding may be infinite or no number."""
    for mask, other in (factors, factors[::-1]):
        if (real := t.padding.truths.get(mask.value)) is not None:
            return "select", [Tensor(real, mask.batched), other, lift(t, 0)]
    return "mul", factors


def _truths(method: str, tensors: list[Tensor]) -> None:
    """E0307 where a truth value is wanted and a number is given."""
    word = {"logical_and": "and", "logical_or": "or", "logical_not": "not", "select": "if"}
    if method in word:
        for x in tensors[:1] if method == "select" else tensors:
            if x.value.type.kind != "bool":
                message = f"`{word[method]}` wants true or false, this is {describe(x)}"
                raise Fact("E0307", message, "compare it with something, as in `x > 0`")


def _with_unknown(t: Tracer, unknown: list[Unknown], operands: tuple[Any, ...]) -> Unknown:
    for operand in operands:
        if isinstance(operand, Tensor) and operand.shape:
            raise Resolved(unknown[0].root, Shaped(operand.shape))
        if isinstance(operand, Tensor) and operand.batched:
            t.met_number.add(unknown[0].root)
    for other in unknown[1:]:
        t.same_shape(unknown[0].root, other.root)
    return Unknown(unknown[0].root)


def _at_rank(t: Tracer, x: Tensor, rank: int) -> Any:
    """A batched value of lower rank gets axes of size 1 behind its batch axis."""
    if not x.batched or x.rank == rank:
        return x.value
    return t.builder.reshape(x.value, (BATCH, *(1,) * (rank - x.rank), *x.shape))


def broadcast_shape(shapes: list[tuple[Dim, ...]], symbol: str) -> tuple[Dim, ...]:
    """The common shape, aligned from the right; sizes agree or are 1."""
    rank = max(len(s) for s in shapes)
    result: list[Dim] = []
    for axis in range(-rank, 0):
        sizes = {s[axis] for s in shapes if len(s) >= -axis} - {1}
        if len(sizes) > 1:
            a, b = [s for s in shapes if s][:2]
            texts = [f"[{', '.join(map(str, s))}]" for s in (a, b)]
            verb = VERBS.get(symbol, "combine")
            link = {"subtract": "from", "multiply": "by", "divide": "by"}.get(verb, "and")
            if verb == "subtract":
                texts.reverse()
            raise Fact("E0402", f"cannot {verb} {texts[0]} {link} {texts[1]}", _residual_hint(a, b))
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def _residual_hint(a: tuple[Dim, ...], b: tuple[Dim, ...]) -> str:
    """The convolution that brings the larger image to the size of the smaller one."""
    if len(a) != 3 or len(b) != 3:
        return ""
    if not all(isinstance(n, int) for n in (*a, *b)):
        return ""
    big, small = (a, b) if a[1] > b[1] else (b, a)  # type: ignore[operator]
    stride = ""
    if big[1:] != small[1:]:
        factors = {n // m for n, m in zip(big[1:], small[1:], strict=True) if n % m == 0}
        if len(factors) != 1:
            return ""
        stride = f", stride = {factors.pop()}"
    return f"in a residual, give the skip a `conv({small[0]}, 1{stride})`"


def matmul(t: Tracer, a: Any, b: Any) -> Tensor:
    """`a @ b`: the last axis of `a` against the last but one of `b` (the only one of a vector)."""
    if isinstance(a, Unknown):
        right = lift(t, b) if not isinstance(b, Unknown) else None
        if right is None or not right.rank:
            t.needs_shape(a)
        assert right is not None
        raise Resolved(a.root, Shaped((right.shape[max(right.rank - 2, 0)],)))
    if isinstance(b, Unknown):
        t.needs_shape(b)
    a, b = lift(t, a), lift(t, b)
    inner = b.shape[max(b.rank - 2, 0)] if b.rank else None
    if not a.rank or inner is None or a.shape[-1] != inner:
        turned = a.rank and b.rank == 2 and a.shape[-1] == b.shape[1]
        hint = "transpose the second with `transpose(...)`" if turned else ""
        raise Fact("E0402", f"cannot multiply {describe(a)} by {describe(b)} as matrices", hint)
    # A product sums over the inner axis: padding adds nothing to it.
    if not t.builder.facts[a.value].finite:
        a = zeroed(t, a, (a.rank - 1,))
    return _product(t, a, zeroed(t, b, (max(b.rank - 2, 0),)))


def _product(t: Tracer, a: Tensor, b: Tensor) -> Tensor:
    build = t.builder
    if a.rank == 1 and b.rank == 1:
        product = pointwise(t, "mul", a, b)
        assert isinstance(product, Tensor)
        last = len(product.value.type.shape) - 1
        return Tensor(build.sum(product.value, (last,)), product.batched)
    if not b.batched and b.rank == 2:
        return Tensor(build.matmul(a.value, b.value), a.batched)
    if b.rank == 1:  # matrix times vector: the vector times the transposed matrix
        turned = Tensor(transpose(t, a), a.batched)
        return _product(t, b, turned)
    if a.rank == 1:
        row = Tensor(build.reshape(a.value, (*a.value.type.shape[:-1], 1, a.shape[0])), a.batched)
        result = _product(t, row, b)
        shape = result.value.type.shape
        return Tensor(build.reshape(result.value, (*shape[:-2], shape[-1])), result.batched)
    return _batched_product(t, a, b)


def _batched_product(t: Tracer, a: Tensor, b: Tensor) -> Tensor:
    build = t.builder
    lead = broadcast_shape([(*a.shape[:-2], 1), (*b.shape[:-2], 1)], "@")[:-1]
    front = ((BATCH,) if a.batched or b.batched else ()) + lead
    left = build.broadcast(_at_rank(t, a, len(lead) + 2), front + a.shape[-2:])
    right = build.broadcast(_at_rank(t, b, len(lead) + 2), front + b.shape[-2:])
    return Tensor(build.matmul(left, right), a.batched or b.batched)


def transpose(t: Tracer, x: Tensor) -> Any:
    """The last two axes exchanged."""
    axes = list(range(len(x.value.type.shape)))
    if x.rank < 2:
        raise Fact("E0401", f"`transpose` wants at least two axes, this is {describe(x)}")
    axes[-1], axes[-2] = axes[-2], axes[-1]
    return t.builder.transpose(x.value, tuple(axes))
