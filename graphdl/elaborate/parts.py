"""Parts of a network by name: which weights a layer, a block or a binding has inside."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ModelError, Span, did_you_mean
from ..graph import Named
from .elaborate import Elaborated


def weights_of(model: Elaborated, weights: Iterable[str], name: str, setting: str) -> list[str]:
    """The weights that a name in a setting stands for: its own, or all inside what is called so.

    The first of equals has no number: `logits.conv` is that layer alone, `logits.conv#2` the next,
    `logits.conv*` every one of them.

    Raises ModelError E0705 for a name of nothing.
    """
    weights = list(weights)
    found = [weight for weight in weights if is_inside(weight, name)]
    if not found:
        known = sorted({part for weight in weights for part in _around(weight)})
        layers = sorted({weight.rpartition(".")[0] or weight for weight in weights})
        hint = did_you_mean(name, known) or f"parts with weights: {', '.join(layers[:8])}"
        span = _place(model, name, setting)
        raise ModelError.at(span, "E0705", f"no weight is called `{name}`", hint=hint)
    return found


def is_inside(weight: str, name: str) -> bool:
    """Whether a weight is what a name stands for, or inside it.

    >>> [is_inside("y.conv#2.bias", name) for name in ("y", "y.conv", "y.conv#2", "y.conv*")]
    [True, False, True, True]
    """
    own, parts = weight.split("."), name.split(".")
    return len(parts) <= len(own) and all(map(_is_called, own, parts))


def _is_called(own: str, part: str) -> bool:
    if part.endswith("*"):
        return own.partition("#")[0] == part[:-1]
    return own == part


def _around(weight: str) -> list[str]:
    """A weight's name, and those of all it is inside of."""
    parts = weight.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _place(model: Elaborated, name: str, setting: str) -> Span | None:
    """Where the file says the name, if it was the file."""
    written = model.graph.settings.get(setting)
    if written is None:
        return None
    values = written.value if isinstance(written.value, list | tuple | dict) else [written.value]
    said = {str(value.name if isinstance(value, Named) else value) for value in values}
    return written.span if name in said else None
