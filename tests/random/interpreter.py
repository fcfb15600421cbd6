"""An interpreter of model graphs in float64, one example at a time.

It shares nothing with the compiler but the graph itself: nodes, wires, constants, weights. The
mathematics is in `formulas`, `sliding` and `losses`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphdl.graph import Graph, Node, Wire

Array = np.ndarray[Any, Any]
Op = Callable[..., Any]


class Examples(list[Array]):
    """A value of every example of the batch; a plain array is one value for all of them."""


Value = Array | Examples


@dataclass(slots=True)
class Call:
    """What a formula needs besides the values that flow in.

    constants   of the ports, None where a wire comes in
    weights     by their own name without the place: `weight`, `bias`, `scale`; `names` in full
    maker       label of the node that the first wire comes from
    running     what a step of training makes of the running registers, by full name
    """

    constants: list[Any]
    keywords: dict[str, Any]
    weights: dict[str, Array]
    names: dict[str, str]
    outputs: int
    maker: str
    training: bool
    running: dict[str, Array] = field(default_factory=dict)

    def get(self, name: str, default: Any) -> Any:
        """An argument, or its documented default."""
        return self.keywords.get(name, default)


@dataclass(slots=True)
class Result:
    """Every wire's value, and the running registers after a step of training."""

    values: dict[Wire, Value]
    running: dict[str, Array]

    def array(self, wire: Wire) -> Array:
        """The value of a wire with the batch in front."""
        value = self.values[wire]
        return np.stack(value) if isinstance(value, Examples) else value


def interpret(
    graph: Graph,
    weights: Mapping[str, Array],
    data: Mapping[str, Array],
    ops: Mapping[str, Op],
    sizes: Mapping[str, int],
    *,
    training: bool = False,
) -> Result:
    """Values of all wires that the given inputs and targets reach.

    `ops` are the formulas of the model's own `op`s; `sizes` the numbers behind size names.
    """
    values: dict[Wire, Value] = {}
    running: dict[str, Array] = {}
    for node in graph.nodes.values():
        if node.kind in ("input", "target"):
            if node.label in data:
                values[Wire(node.name)] = Examples(np.asarray(data[node.label]))
        elif node.kind == "weight":
            values[Wire(node.name)] = np.asarray(weights[node.weights[0]], np.float64)
        elif all(wire in values for wire in node.inputs):
            # A shared batch_norm goes on from what its use before made of the running averages.
            call = _call(graph, node, {**weights, **running}, sizes, training)
            found = _apply(node, call, ops, [values[wire] for wire in node.inputs])
            running |= call.running
            values |= {Wire(node.name, i): part for i, part in enumerate(found)}
    return Result(values, running)


def _call(
    graph: Graph, node: Node, weights: Mapping[str, Array], sizes: Mapping[str, int], training: bool
) -> Call:
    names = {name.rpartition(".")[2]: name for name in node.weights}
    return Call(
        constants=[number(v, sizes) for v in node.call.arguments],
        keywords={k: number(v, sizes) for k, v in node.call.keywords.items()},
        weights={k: np.asarray(weights[name], np.float64) for k, name in names.items()},
        names=names,
        outputs=len(node.outputs),
        maker=graph.nodes[node.inputs[0].node].label if node.inputs else "",
        training=training,
    )


def number(value: Any, sizes: Mapping[str, int]) -> Any:
    """A constant with its size names replaced: the text of a size is arithmetic."""
    if isinstance(value, list | tuple):
        return [number(item, sizes) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    text = str(value)
    if re.fullmatch(r"[\w+\-*/%() ]+", text) and re.search(r"[A-Z]", text):
        return eval(text, {"__builtins__": {}}, dict(sizes))
    return value


def _apply(node: Node, call: Call, ops: Mapping[str, Op], inputs: list[Value]) -> list[Value]:
    from .formulas import FORMULAS, MATHS
    from .losses import ACROSS

    name = node.call.name
    if name in ACROSS:
        return [ACROSS[name](call, *inputs)]
    if name in ops:
        ports, names = len(call.constants), list(call.keywords)
        given = _filled([*call.constants, *call.keywords.values()], inputs)
        return [
            per_example(
                lambda *row: ops[name](*row[:ports], **dict(zip(names, row[ports:], strict=True))),
                given,
            )
        ]
    given = _filled(call.constants, inputs) if name in MATHS else inputs
    result = per_example(lambda *row: FORMULAS[name](call, *row), given)
    if call.outputs == 1:
        return [result]
    if isinstance(result, Examples):
        return [Examples(row[i] for row in result) for i in range(call.outputs)]
    return list(result)


def _filled(constants: list[Any], inputs: list[Value]) -> list[Value]:
    """The wires with the constants that stand between them."""
    rest = iter(inputs)
    return [next(rest) if c is None else np.asarray(c) for c in constants]


def per_example(formula: Callable[..., Any], values: list[Any]) -> Any:
    """Apply a formula to every example, or once when nothing depends on the example."""
    batch = next((len(v) for v in values if isinstance(v, Examples)), None)
    if batch is None:
        return formula(*values)
    rows = [[v[i] if isinstance(v, Examples) else v for v in values] for i in range(batch)]
    return Examples(formula(*row) for row in rows)
