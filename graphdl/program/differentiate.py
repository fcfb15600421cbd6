"""Reverse mode, program to program: the operations of the gradients are appended to the builder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .builder import Builder
from .primitives import Constant, Contract, Mul
from .program import Op, Type, Value
from .unchosen import Unchosen

# What is zero where all of its numbers are.
LINEAR = ("add", "sub", "neg", "sum", "select", "cast", "copy", "reshape", "transpose", "slice",
          "broadcast", "reverse", "concat", "pad", "gather", "scatter_add", "spread")  # fmt: skip


def differentiate(build: Builder, loss: Value, wrt: Sequence[Value]) -> list[Value]:
    """The gradient of a scalar loss for each value of `wrt`; zeros where the loss does not depend.

    >>> build = Builder()
    >>> x = build.input("x", Type((3,)), "data", "x")
    >>> differentiate(build, build.sum(build.mul(x, x)), [x])
    [%8: float[3]]
    """
    assert loss.type == Type(()), f"the loss is {loss!r}, not one number"
    assert all(v.type.kind == "float" for v in wrt), f"whole numbers have no gradient: {wrt}"
    forward = len(build.ops)
    gradients = _pulled(build, loss, wrt)
    results = [gradients[v] if v in gradients else build.zeros(v.type) for v in wrt]
    build.prune(forward, results)
    return results


def reached(build: Builder, loss: Value, wrt: Sequence[Value]) -> list[Value]:
    """The values of `wrt` that can change the loss: their gradient is not zero by its structure."""
    forward = len(build.ops)
    gradients = _pulled(build, loss, wrt)
    zero: set[Value] = set()
    for op in build.ops:
        arguments = [a for a in op.args if a.type.kind == "float"]
        constant = isinstance(op.primitive, Constant) and op.primitive.number == 0
        product = isinstance(op.primitive, Mul | Contract) and not zero.isdisjoint(arguments)
        linear = op.primitive.name in LINEAR and bool(arguments) and zero.issuperset(arguments)
        if constant or product or linear:
            zero.add(op.out)
    build.prune(forward, [])
    return [v for v in wrt if v in gradients and gradients[v] not in zero]


def _pulled(build: Builder, loss: Value, wrt: Sequence[Value]) -> dict[Value, Value]:
    """The gradient of each value between the loss and `wrt`, as far as there is one."""
    origin, forward = build.origin, list(build.ops)
    leading = leading_to(forward, wrt)
    gradients: dict[Value, Value] = {}
    unchosen = Unchosen(build)
    if loss in leading:
        gradients[loss] = build.constant(1.0)
    for op in reversed(forward):
        if op.out in gradients and op.out in leading:
            build.origin = op.origin
            _pull(build, op, gradients, leading, unchosen)
    build.origin = origin
    return gradients


def leading_to(ops: Iterable[Op], wrt: Sequence[Value]) -> set[Value]:
    """The values that depend on `wrt` smoothly."""
    leading = set(wrt)
    for op in ops:
        if op.out.type.kind == "float" and not leading.isdisjoint(op.args):
            leading.add(op.out)
    return leading


def _pull(
    build: Builder,
    op: Op,
    gradients: dict[Value, Value],
    leading: set[Value],
    unchosen: Unchosen,
) -> None:
    """Add what the gradient of the result gives to the gradient of each argument."""
    wanted = [arg in leading for arg in op.args]
    grad = gradients[op.out]
    shares = op.primitive.pull(build, op.args, op.out, grad, wanted)
    assert len(shares) == len(op.args), f"{op.primitive} gives {len(shares)} gradients"
    kept = tuple(share if want else None for share, want in zip(shares, wanted, strict=True))
    for arg, share in zip(op.args, unchosen.guarded(op, grad, kept), strict=True):
        if share is None:
            continue
        assert share.type == arg.type, f"{op.primitive}: gradient {share!r} of {arg!r}"
        if arg in gradients:
            total = build.add(gradients[arg], share)
            unchosen.added(total, gradients[arg], share)
            share = total
        gradients[arg] = share
