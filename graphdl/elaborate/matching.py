"""What losses and metrics compare has one shape: nothing is stretched to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import Diagnostic, Label, Span
from ..program import product
from .values import BATCH, Fact, Tensor, describe

if TYPE_CHECKING:
    from .tracer import Tracer


def matching(t: Tracer, truth: Any, guess: Any, classes: int | None = None) -> Any:
    """The truth as the guess has it; a single number `[]` goes with one number `[1]`.

    Class numbers are no numbers, but for the two of `int(2)` where `classes = 2` says so. A
    constant, and an input whose shape this comparison tells, come back as they are.
    """
    if not isinstance(truth, Tensor) or not isinstance(guess, Tensor):
        return truth
    kinds = (truth.value.type.kind, guess.value.type.kind)
    if kinds[0] == "int" != kinds[1] and (classes is None or truth.classes != classes):
        raise _of_classes(t, truth)
    if truth.shape == guess.shape:
        return truth
    if {truth.shape, guess.shape} != {(), (1,)}:
        raise _unlike(t, truth, guess)
    front = (BATCH,) if truth.batched else ()
    value = t.builder.reshape(truth.value, (*front, *guess.shape))
    return Tensor(value, truth.batched, truth.classes)


def _of_classes(t: Tracer, truth: Tensor) -> Fact:
    loss, name = _loss(t), _target(t, truth)
    hint = f"declare `target {name}` for a number" if name else "write `number(...)` around it"
    if name:
        hint += f", or write `number({name})`"
    if loss in ("`mse`", "`l1`", "`huber`"):
        hint += "; for classes there is `cross_entropy`"
    called = f"`{name}`" if name else "this"
    return Fact("E0412", f"{loss} compares numbers, and {called} is {_kind(truth)}", hint)


def _loss(t: Tracer) -> str:
    """What is being called, for the beginning of a sentence."""
    return f"`{t.called[0]}`" if t.called else "this"


def _kind(truth: Tensor) -> str:
    return f"`int({truth.classes})`" if truth.classes else "whole numbers"


def _unlike(t: Tracer, truth: Tensor, guess: Tensor) -> Fact:
    name, hints = _target(t, truth), []
    shape = ", ".join(map(str, guess.shape))
    if name:
        hints.append(f"declare `target {name}[{shape}]`" if shape else f"declare `target {name}`")
    if truth.shape and product(truth.shape) == product(guess.shape):
        hints.append(f"put `-> reshape([{', '.join(map(str, truth.shape))}])` behind the other")
    message = (
        f"{_loss(t)} compares number by number, and {describe(guess)} is not {describe(truth)}"
    )
    return Fact("E0420", message, ", or ".join(hints))


def _target(t: Tracer, x: Tensor) -> str:
    """Name of the target that a tensor is, or nothing."""
    node = t.graph.nodes.get(x.wire.node) if x.wire else None
    return node.name if node is not None and node.kind == "target" else ""


def warn_of_stretching(t: Tracer, span: Span, left: Any, right: Any, result: Any) -> None:
    """W0702 where arithmetic stretches a target and what it meets: [T, 1] and [T] give [T, T]."""
    tensors = [x for x in (left, right, result) if isinstance(x, Tensor)]
    if len(tensors) < 3 or result.shape in (left.shape, right.shape):
        return
    name = _target(t, left) or _target(t, right)
    if not name:
        return
    message = f"{describe(left)} and {describe(right)} are stretched to {describe(result)} here"
    also = tuple(Label(x.span, f"this is {describe(x)}") for x in (left, right) if x.span)
    hint = f"if `{name}` is meant number by number, give both one shape: `-> reshape([...])`"
    t.graph.warnings.append(Diagnostic("W0702", message, Label(span), also, (), (hint,)))
