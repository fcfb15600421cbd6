"""What callers ask for by name: arrays for inputs, extra nodes, what to differentiate by."""

from __future__ import annotations

from typing import Any

from ..errors import UsageError, did_you_mean
from ..graph import Graph, Wire


def by_name(graph: Graph, arrays: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Arrays given in the order of the file's inputs join those given by name.

    Raises UsageError when there are more arrays than inputs, and for an input given twice.
    """
    names = list(graph.inputs)
    if len(arrays) > len(names):
        raise UsageError(f"{len(arrays)} arrays for {len(names)} inputs: {', '.join(names)}")
    return joined(names[: len(arrays)], arrays, named)


def joined(names: list[str], arrays: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Arrays under the names they stand for, and those given by name."""
    twice = next((name for name in names if name in named), None)
    if twice is not None:
        raise UsageError(f"`{twice}` is given twice: by its place and by its name")
    return {**dict(zip(names, arrays, strict=True)), **named}


def wires(graph: Graph, extra: tuple[str, ...] = ()) -> dict[str, Wire]:
    """The outputs, and other nodes by the name they have in the file or in a table.

    Raises UsageError for an unknown name, and when there is nothing to give.
    """
    found = dict(graph.outputs)
    for name in extra:
        if name in graph.names:
            found[name] = graph.names[name]
        elif name in graph.nodes:
            found[name] = Wire(name)
        else:
            hint = did_you_mean(name, [*graph.names, *graph.nodes]) or "see `net.show()`"
            raise UsageError(f"no node is called `{name}`; {hint}")
    if not found:
        raise UsageError("this model has no output; name a node: `net(..., outputs=['h'])`")
    return found


def differentiable(graph: Graph, wrt: Any) -> list[str]:
    """Names to differentiate by: those in `wrt`, or every weight.

    Raises UsageError for a name that is neither a weight nor a float input.
    """
    weights = [n for n, w in graph.weights.items() if w.kind == "weight"]
    if wrt is None:
        return weights
    ends = {**graph.inputs, **graph.targets}
    known = [*weights, *(n for n, shaped in ends.items() if shaped.kind == "float")]
    names = [wrt] if isinstance(wrt, str) else list(wrt)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are: {', '.join(known[:8])}"
            raise UsageError(f"no weight or float input is called `{name}`; {hint}")
    return names


def require_loss(graph: Graph) -> None:
    """UsageError for a model without a loss."""
    if not graph.losses:
        raise UsageError("this model has no loss: write `loss = ...` to train it")
