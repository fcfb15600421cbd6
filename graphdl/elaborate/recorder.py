"""What the walk leaves behind: the nodes of the model graph, and the tensor on each wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ModelError, Span
from ..graph import Graph, Named, Node, NodeKind, Shaped, Wire
from ..limits import EXPRESSIONS, NODES
from ..program import Builder
from .place import Place
from .values import Flowing, Tensor, leaves, rewired


class Recorder:
    """The graph and the program under construction, and where in them we are.

    depth    prelude definitions we are inside of; 0 is the user's own text
    silent   scans we are inside of: their bodies are no nodes
    touched  weights used by the node being recorded
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.builder = Builder()
        self.place = Place()
        self.scopes: tuple[str, ...] = ()
        self.depth = 0
        self.silent = 0
        self.node_span: Span | None = None
        self.touched: list[str] = []
        self.tensors: dict[Wire, Flowing] = {}
        self.steps = 0
        self.most_steps, self.most_nodes = EXPRESSIONS.most, NODES.most

    def step(self, span: Span) -> None:
        """Count one more expression; E0309 when a model unfolds into too many."""
        self.steps += 1
        if self.steps > self.most_steps:
            raise ModelError.at(
                span,
                "E0309",
                f"this model unfolds into more than {self.most_steps:,} expressions",
                hint=("repeat less, or nest fewer blocks into each other", EXPRESSIONS.hint),
            )

    def add_node(
        self,
        name: str,
        kind: NodeKind,
        label: str,
        span: Span | None,
        value: Any,
        weights: tuple[str, ...] = (),
        doc: str = "",
    ) -> Any:
        """A node without inputs: an input, target or weight."""
        value = rewired(value, name, label, span)
        outputs = tuple(_shaped(x) for x in leaves(value))
        self.graph.nodes[name] = Node(
            name, kind, label, "", self.scopes, (), outputs, weights, span, doc
        )
        for x in leaves(value):
            assert x.wire is not None
            self.tensors[x.wire] = x
        return value

    def record(
        self,
        name: str,
        label: str,
        text: str,
        span: Span,
        inputs: list[Any],
        run: Callable[[], Any],
        named: Named,
    ) -> Any:
        """Run something that users see as one node."""
        outer = self.place
        self.place = place = outer.child(name)
        if self.depth or self.silent:
            depth, self.depth = self.depth, 1
            try:
                return run()
            finally:
                self.place, self.depth = outer, depth
        touched, self.touched = self.touched, []
        origin, self.builder.origin = self.builder.origin, place.name
        self.depth, self.node_span = 1, span
        try:
            value = run()
        finally:
            used, self.touched = self.touched, touched
            self.depth, self.place, self.builder.origin = 0, outer, origin
        return self._node(place.name, label, text, span, inputs, value, named, used)

    def _node(
        self,
        name: str,
        label: str,
        text: str,
        span: Span,
        inputs: list[Any],
        value: Any,
        named: Named,
        used: list[str],
    ) -> Any:
        if not leaves(value):
            return value
        if len(self.graph.nodes) >= self.most_nodes:
            message = f"this model has more than {self.most_nodes:,} nodes"
            raise ModelError.at(span, "E0309", message, hint=NODES.hint)
        value = rewired(value, name, label, span)
        kind: NodeKind = "scan" if label == "scan" else "layer" if used else "op"
        self.graph.nodes[name] = Node(
            name,
            kind,
            label,
            text,
            self.scopes,
            tuple(x.wire for x in inputs if x.wire is not None),
            tuple(_shaped(x) for x in leaves(value)),
            tuple(dict.fromkeys(used)),
            span,
            "",
            named,
        )
        for x in leaves(value):
            assert x.wire is not None
            self.tensors[x.wire] = x
        return value


def _shaped(x: Flowing) -> Shaped:
    return x.shaped if isinstance(x, Tensor) else Shaped(())
