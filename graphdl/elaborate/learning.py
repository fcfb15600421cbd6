"""Whether training can change anything: some weight must reach the loss by a gradient."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ModelError, Span
from ..program import reached
from .elaborate import Elaborated
from .programs import learned, total_loss

COUNTS = ("accuracy", "binary_accuracy")


def require_learning(model: Elaborated, freeze: Iterable[str]) -> None:
    """E0707 where no weight can change the loss; E0705 for a frozen name that is not one."""
    weights = {i.key: i.value for i in model.builder.inputs if i.role == "weight"}
    free = learned(model, freeze)
    loss = total_loss(model)
    if reached(model.builder, loss, list(free.values())):
        return
    span, label = _of_loss(model)
    if not weights:
        message, hint = "this model has no weights: there is nothing to train", ""
    elif len(free) < len(weights) and reached(model.builder, loss, list(weights.values())):
        setting = model.graph.settings.get("freeze")
        span = setting.span if setting else span
        message = "`freeze` holds every weight that can change the loss: there is nothing to train"
        hint = "let one of them go"
    else:
        message, hint = "no weight can change this loss", _reason(label)
    raise ModelError.at(span, "E0707", message, hint=hint)


def _of_loss(model: Elaborated) -> tuple[Span | None, str]:
    """The place of the first loss, and the layer or function that made it."""
    node = model.graph.nodes[next(iter(model.graph.losses.values())).node]
    return node.span, node.label


def _reason(made_by: str) -> str:
    if made_by in COUNTS:
        return f"`{made_by}` counts, and has no gradient: write `metric = ...` and another loss"
    return (
        "it must depend on weights, and not through `argmax`, `floor`, `sign`, a comparison or "
        "`constant` alone: these pass no gradient"
    )
