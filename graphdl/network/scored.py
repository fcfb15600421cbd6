"""Which target's classes an output scores, and what these classes are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import escaped
from ..graph import Graph, Wire

if TYPE_CHECKING:
    from .network import Network


def scored(graph: Graph, output: str) -> str | None:
    """The target that something compares with this output, which has a number for each class.

    Between the output and what is compared lies only what learns nothing and keeps the shape, such
    as softmax. None where there is no such target, or several.
    """
    wire = graph.outputs[output]
    shape = graph.shaped(wire).shape
    found = []
    for name, shaped in graph.targets.items():
        if shaped.kind == "int" and shape == (*shaped.shape, shaped.classes):
            beside = _compared(graph, name)
            if any(_leads(graph, wire, one) or _leads(graph, one, wire) for one in beside):
                found.append(name)
    return found[0] if len(found) == 1 else None


def class_names(names: Sequence[str], count: int) -> tuple[str, ...]:
    """What so many classes are called, fit for a terminal; nothing where these are their numbers.

    One that has no name, because training has not seen it, is `id 7`.
    """
    if list(names) == [str(number) for number in range(len(names))]:
        return ()
    return (*map(escaped, names), *(f"id {number}" for number in range(len(names), count)))


def names_in(net: Network, target: str) -> tuple[str, ...]:
    """What a network calls the classes of a target."""
    vocabulary = net.vocabularies.get(target)
    names = vocabulary.words if vocabulary else net.labels.get(target, ())
    return class_names(names, net.graph.targets[target].classes or 0)


def _compared(graph: Graph, target: str) -> list[Wire]:
    """What stands beside a target in the layers that read it."""
    own = {node.name for node in graph.nodes.values() if node.label == target
           and node.kind == "target"}  # fmt: skip
    readers = [n for n in graph.nodes.values() if any(wire.node in own for wire in n.inputs)]
    return [wire for node in readers for wire in node.inputs if wire.node not in own]


def _leads(graph: Graph, begin: Wire, end: Wire) -> bool:
    """Whether a value is another one, or becomes it by what learns nothing and keeps the shape."""
    if begin == end:
        return True
    shape, waiting = graph.shaped(begin).shape, [end]
    seen: set[Wire] = set()
    while waiting:
        wire = waiting.pop()
        node = graph.nodes[wire.node]
        if wire == begin:
            return True
        if wire in seen or node.weights or graph.shaped(wire).shape != shape:
            continue
        seen.add(wire)
        waiting += node.inputs
    return False
