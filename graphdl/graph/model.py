"""The model graph: what a person would draw. Nodes are layers with names, shapes and weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..errors import Diagnostic, Source, Span
from ..program import Dim, Kind

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True, slots=True)
class Shaped:
    """Type of an edge, per example: the batch axis is not part of `shape`.

    `classes` is the n of `int(n)`, `pad` the id that fills a sequence up to the longest of its
    batch; `batched` is False for what does not depend on any input.
    """

    shape: tuple[Dim, ...]
    kind: Kind = "float"
    classes: int | None = None
    batched: bool = True
    pad: int | None = None

    def __str__(self) -> str:
        text = f"[{', '.join(map(str, self.shape))}]"
        if self.kind == "float":
            return text
        pad = "" if self.pad is None else f", pad = {self.pad}"
        return f"{text}: {self.kind}({self.classes or ''}{pad})"


@dataclass(frozen=True, slots=True)
class Wire:
    """One output of a node."""

    node: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Initial:
    """How a weight starts: an initialiser's name and constants, such as normal, (0.1,)."""

    name: str
    arguments: tuple[float, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor that is kept: learned (`weight`) or stepped with training (`running`)."""

    name: str
    shape: tuple[int, ...]
    initial: Initial
    kind: Literal["weight", "running"] = "weight"
    span: Span | None = None

    @property
    def count(self) -> int:
        """Number of elements."""
        total = 1
        for size in self.shape:
            total *= size
        return total


NodeKind = Literal["input", "target", "weight", "layer", "op", "scan"]


@dataclass(frozen=True, slots=True)
class Node:
    """One box of the drawing.

    name       unique, from structure: `logits.conv#2`
    label      what stands in the box: `conv`, `+`, `relu`, or the name of an input
    arguments  as written: `20, 5`
    scopes     the blocks it came from, outermost first: (`logits.residual#2`, ...)
    inputs     where its values come from
    outputs    type of each output
    weights    names in `Graph.weights`; a shared weight is listed by every node that uses it
    call       what lowering needs: the definition and its arguments
    """

    name: str
    kind: NodeKind
    label: str
    arguments: str
    scopes: tuple[str, ...]
    inputs: tuple[Wire, ...]
    outputs: tuple[Shaped, ...]
    weights: tuple[str, ...] = ()
    span: Span | None = None
    doc: str = ""
    call: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Named:
    """A constant written as a call, such as `sgd(lr = 0.1)` or `mnist("data/mnist")`."""

    name: str
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the `train` block: a number, text, flag, list or `Named` call."""

    value: Any
    span: Span | None = None


@dataclass(slots=True)
class Graph:
    """A checked model: nodes in order, roles, weights, settings.

    indexed     for a weight whose rows are picked by ids: the input they come from
    recurrent   whether it has a state that can go on from window to window
    """

    source: Source
    nodes: dict[str, Node] = field(default_factory=dict)
    weights: dict[str, Weight] = field(default_factory=dict)
    names: dict[str, Wire] = field(default_factory=dict)
    outputs: dict[str, Wire] = field(default_factory=dict)
    losses: dict[str, Wire] = field(default_factory=dict)
    metrics: dict[str, Wire] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Setting] = field(default_factory=dict)
    warnings: list[Diagnostic] = field(default_factory=list)
    doc: str = ""
    indexed: dict[str, str] = field(default_factory=dict)
    recurrent: bool = False

    @property
    def inputs(self) -> dict[str, Shaped]:
        """Type of each input by name."""
        return {n.label: n.outputs[0] for n in self.nodes.values() if n.kind == "input"}

    @property
    def targets(self) -> dict[str, Shaped]:
        """Type of each target by name."""
        return {n.label: n.outputs[0] for n in self.nodes.values() if n.kind == "target"}

    def shaped(self, wire: Wire) -> Shaped:
        """Type of what flows on a wire."""
        return self.nodes[wire.node].outputs[wire.index]

    def network(self) -> networkx.MultiDiGraph[str]:
        """The graph for networkx: nodes carry `node`, edges `wire` and `position`."""
        import networkx  # here: it takes longer to import than a model takes to check

        graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
        for name, node in self.nodes.items():
            graph.add_node(name, node=node)
        for name, node in self.nodes.items():
            for position, wire in enumerate(node.inputs):
                graph.add_edge(wire.node, name, wire=wire, position=position)
        return graph
