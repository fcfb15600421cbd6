"""A model graph as Graphviz DOT text: boxes, shapes on the edges, blocks as clusters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from ..graph import Graph, Node, Shaped, Wire
from .arguments import OPERATORS, arguments, constants
from .cost import learned, sharers
from .quote import markup, one_line, quoted, shortened
from .style import BLOCK_LINE, EDGE, FONT, INK, LOOKS, QUIET, Look, block_fill
from .summary import operation, thousands

Direction = Literal["down", "right"]
SYMBOLS = frozenset("+-*/@^%<>=")
HEADER = """\
digraph model {{
  graph [rankdir={rank}, bgcolor=white, pad=0.3, nodesep=0.35, ranksep={gap}, fontname="{font}",
         fontsize=11, fontcolor="{quiet}", labeljust=l, tooltip=" "]
  node [shape=box, style="rounded,filled", fontname="{font}", fontsize=12, fontcolor="{ink}",
        margin="0.16,0.07", height=0.36, width=0.6, penwidth=1.1]
  edge [fontname="{font}", fontsize=10, fontcolor="{quiet}", color="{edge}", penwidth=1.1,
        arrowsize=0.65]
"""


def to_dot(graph: Graph, direction: Direction = "down", title: str = "") -> str:
    """DOT text of a model.

    Args:
        graph: a checked model.
        direction: where the data flows, `down` or `right`.
        title: a line above the drawing.
    """
    lines = [
        HEADER.format(
            rank="TB" if direction == "down" else "LR",
            gap=0.32 if direction == "down" else 0.45,
            font=FONT,
            quiet=QUIET,
            ink=INK,
            edge=EDGE,
        )
    ]
    if title:
        lines.append(f"  label={quoted(title)}; labelloc=t; fontsize=14\n")
    shared = sharers(graph)
    lines += _blocks(graph, list(graph.nodes.values()), 0, shared)
    lines.append("")
    lines += _edges(graph)
    lines += _roles(graph)
    return "\n".join(lines) + "\n}\n"


def _blocks(
    graph: Graph, nodes: list[Node], depth: int, shared: Mapping[str, list[str]]
) -> list[str]:
    indent = "  " * (depth + 1)
    lines = []
    inside: dict[str, list[Node]] = {}
    for node in nodes:
        if len(node.scopes) > depth:
            inside.setdefault(node.scopes[depth], []).append(node)
        else:
            lines.append(indent + _box(graph, node, shared))
    for scope, members in inside.items():
        lines.append(f"{indent}subgraph {quoted('cluster:' + scope)} {{")
        lines.append(
            f"{indent}  graph [label={quoted(shortened(one_line(scope.rpartition('.')[2])))}, "
            f'style="rounded,filled", fillcolor="{block_fill(depth)}", color="{BLOCK_LINE}", '
            f"tooltip={quoted(scope)}]"
        )
        lines += _blocks(graph, members, depth + 1, shared)
        lines.append(indent + "}")
    return lines


def _box(graph: Graph, node: Node, shared: Mapping[str, list[str]]) -> str:
    look = LOOKS[node.kind]
    together = [name for name in node.weights if name in shared]
    attributes = {
        "label": _label(graph, node, bool(together)),
        "tooltip": quoted(_tooltip(graph, node, shared)),
        **_painted(look),
    }
    if node.label in SYMBOLS and not node.arguments and not any(constants(node)):
        attributes |= {"shape": "circle", "margin": '"0"', "width": "0.34", "fixedsize": "true"}
    if together:
        attributes |= {"peripheries": "2", "color": f'"{LOOKS["input"].line}"'}
    return f"{quoted(node.name)} [{_listed(attributes)}]"


def _painted(look: Look) -> dict[str, str]:
    painted = {"fillcolor": f'"{look.fill}"', "color": f'"{look.line}"'}
    if look.square:
        painted |= {"style": '"filled"', "penwidth": "1.6"}
    elif look.shape != "box":
        painted |= {"shape": look.shape, "style": '"filled"'}
    return painted


def _label(graph: Graph, node: Node, shared: bool) -> str:
    before, behind = constants(node)
    text = f"<B>{markup(shortened(node.label))}</B>"
    if node.kind in ("input", "target", "weight"):
        text += f' <FONT COLOR="{QUIET}">{node.kind}</FONT>'
    elif node.label in OPERATORS and (before or behind):
        text = " ".join(filter(None, (markup(before), text, markup(behind))))
    elif given := arguments(node) or behind:
        text += f"({markup(shortened(given))})"
    count = learned(graph, node)
    if count and node.kind != "weight":
        plural = "weight" if count == 1 else "weights"
        note = f"{thousands(count)} {plural}{', shared' if shared else ''}"
        text += f'<BR/><FONT POINT-SIZE="9" COLOR="{QUIET}">{note}</FONT>'
        return f"<{text}>"
    return _one_line(text)


def _one_line(text: str) -> str:
    """A label of one line, pushed down a little: Graphviz sets bold text above the middle."""
    return f'<<FONT POINT-SIZE="3"> <BR/></FONT>{text}>'


def _tooltip(graph: Graph, node: Node, shared: Mapping[str, list[str]]) -> str:
    lines = [f"{node.name}: {operation(node)}", *node.doc.splitlines()]
    for name in node.weights:
        users = shared.get(name, ())
        also = f", shared by {len(users)} nodes" if users else ""
        shape = ", ".join(map(str, graph.weights[name].shape))
        lines.append(f"{name}[{shape}]{also}")
    return "\n".join(lines)


def _edges(graph: Graph) -> Iterable[str]:
    named = _shortest_names(graph)
    for node in graph.nodes.values():
        for wire in node.inputs:
            yield _edge(wire, node.name, _edge_label(graph, wire, named))


def _edge(wire: Wire, head: str, label: str) -> str:
    shown = f" [label={quoted(f' {label} ')}]" if label else ""
    return f"  {quoted(wire.node)} -> {quoted(head)}{shown}"


def _edge_label(graph: Graph, wire: Wire, named: Mapping[Wire, str]) -> str:
    """What flows, in the language's own spelling: `name[shape]`, or `[shape]` without a name."""
    return named.get(wire, "") + _flow(graph.shaped(wire))


def _shortest_names(graph: Graph) -> dict[Wire, str]:
    """Names given by `=`; what names itself in its box is left out."""
    named: dict[Wire, str] = {}
    for name, wire in graph.names.items():
        short = name.rpartition(".")[2]
        if graph.nodes[wire.node].kind in ("input", "target", "weight"):
            continue
        if wire not in named or len(short) < len(named[wire]):
            named[wire] = short
    return named


def _roles(graph: Graph) -> Iterable[str]:
    for role, wires in (
        ("output", graph.outputs),
        ("loss", graph.losses),
        ("metric", graph.metrics),
    ):
        for name, wire in wires.items():
            box = f"{role}:{name}"
            word = f' <FONT COLOR="{QUIET}">{role}</FONT>' if name != role else ""
            attributes = {
                "label": _one_line(f"<B>{markup(shortened(name))}</B>{word}"),
                "tooltip": quoted(f"{role} {name} {graph.shaped(wire)}"),
                **_painted(LOOKS[role]),
            }
            yield f"  {quoted(box)} [{_listed(attributes)}]"
            shaped = graph.shaped(wire)
            yield _edge(wire, box, _flow(shaped) if shaped.shape else "")


def _flow(shaped: Shaped) -> str:
    """`[16, 28, 28]`; a single whole number is `int(10)`."""
    return str(shaped).removeprefix("[]: ")


def _listed(attributes: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in attributes.items())
