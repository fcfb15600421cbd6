"""Reverse mode, program to program: the operations of the gradients are appended to the builder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .builder import Builder
from .program import Op, Type, Value
from .unchosen import Unchosen


def differentiate(build: Builder, loss: Value, wrt: Sequence[Value]) -> list[Value]:
    """The gradient of a scalar loss for each value of `wrt`; zeros where the loss does not depend.

    >>> build = Builder()
    >>> x = build.input("x", Type((3,)), "data", "x")
    >>> differentiate(build, build.sum(build.mul(x, x)), [x])
    [%8: float[3]]
    """
    assert loss.type == Type(()), f"the loss is {loss!r}, not one number"
    assert all(v.type.kind == "float" for v in wrt), f"whole numbers have no gradient: {wrt}"
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
    results = [gradients[v] if v in gradients else build.zeros(v.type) for v in wrt]
    build.prune(len(forward), results)
    return results


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
