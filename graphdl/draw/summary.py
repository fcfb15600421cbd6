"""A model graph as aligned plain text: a table of nodes with totals, and a tree of blocks."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Graph, Node, Wire
from ..program import Dim, Size
from .arguments import OPERATORS, arguments, constants
from .cost import learned, macs, sharers, total_macs, total_values, total_weights

HEADINGS = ("node", "operation", "shape", "weights", "MACs")
FLOAT_BYTES = 4


def summary(graph: Graph) -> str:
    """A table with one row per node (operation, shape, weights, multiply-adds) and the totals."""
    seen: set[str] = set()
    rows = [HEADINGS, *(_row(graph, node, seen) for node in graph.nodes.values())]
    body = _aligned(rows, right=(3, 4))
    body.insert(1, "-" * max(map(len, body)))
    return "\n".join([*body, "", *_roles(graph), "", *totals(graph)]) + "\n"


def totals(graph: Graph) -> list[str]:
    """The lines under the table: weights, multiply-adds, memory."""
    weights, values = total_weights(graph), total_values(graph)
    kept = sum(w.count for w in graph.weights.values() if w.kind == "running")
    rows = [
        ("weights", thousands(weights), f"{size(weights * FLOAT_BYTES)} in float32"),
        ("MACs", thousands(total_macs(graph)), "multiply-adds of one example, forward"),
        ("values", thousands(values), f"one example, forward; {size(values * FLOAT_BYTES)}"),
    ]
    if kept:
        rows.insert(1, ("running", thousands(kept), "statistics kept beside the weights"))
    return _aligned(rows, right=(1,))


def tree(graph: Graph, title: str = "") -> str:
    """The nodes under the blocks they came from, as a tree.

    The order is that of the graph; a block that is entered again is opened again.
    """
    lines = [title or graph.source.name]
    _branch(graph, list(graph.nodes.values()), 0, "", lines)
    return "\n".join(lines) + "\n"


def thousands(count: Dim) -> str:
    """A count with commas, or a symbolic one as it is; nothing for zero."""
    if isinstance(count, Size):
        return str(count)
    return f"{count:,}" if count else "0"


def size(count: Dim) -> str:
    """Bytes for people: 1.3 MB.

    >>> size(1_316_232), size(200)
    ('1.3 MB', '200 B')
    """
    if isinstance(count, Size):
        return f"{count} B"
    if count < 1000:
        return f"{count} B"
    amount, unit = count / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}"


def operation(node: Node) -> str:
    """What a node does, as it was written: `conv(20, 5)`, `input`, `relu`."""
    if node.kind in ("input", "target", "weight"):
        return node.kind
    before, behind = constants(node)
    if node.label in OPERATORS and (before or behind):
        return " ".join(filter(None, (before, node.label, behind)))
    given = arguments(node) or behind
    return f"{node.label}({given})" if given else node.label


def _row(graph: Graph, node: Node, seen: set[str]) -> tuple[str, ...]:
    shape = ", ".join(map(str, node.outputs))
    count, cost = learned(graph, node), macs(graph, node)
    weights = thousands(count) if count else ""
    if count and seen.issuperset(node.weights):
        weights = f"shared {weights}"
    seen.update(node.weights)
    return (node.name, operation(node), shape, weights, thousands(cost) if cost else "")


def _roles(graph: Graph) -> list[str]:
    roles = {"output": graph.outputs, "loss": graph.losses, "metric": graph.metrics}
    rows = [
        (role, "" if name == role else name, f"= {_described(graph, wire)}")
        for role, wires in roles.items()
        for name, wire in wires.items()
    ]
    rows += [
        ("shared", name, f"by {len(nodes)} nodes: {_listed(nodes)}")
        for name, nodes in sharers(graph).items()
    ]
    return _aligned(rows)


def _listed(names: list[str], most: int = 4) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _described(graph: Graph, wire: Wire) -> str:
    several = len(graph.nodes[wire.node].outputs) > 1
    part = f", part {wire.index + 1}" if several else ""
    return f"{wire.node} {graph.shaped(wire)}{part}"


def _aligned(rows: Sequence[tuple[str, ...]], right: tuple[int, ...] = ()) -> list[str]:
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _branch(graph: Graph, nodes: list[Node], depth: int, indent: str, lines: list[str]) -> None:
    groups = _groups(nodes, depth)
    for i, (scope, members) in enumerate(groups):
        last = i == len(groups) - 1
        corner, stem = ("└─ ", "   ") if last else ("├─ ", "│  ")
        if scope is None:
            lines.append(indent + corner + _leaf(graph, members[0]))
        else:
            inside = sum(learned(graph, node) for node in members)
            suffix = f"  {thousands(inside)} weights" if inside else ""
            outer = members[0].scopes[depth - 1] if depth else ""
            lines.append(indent + corner + inner_name(scope, outer) + suffix)
            _branch(graph, members, depth + 1, indent + stem, lines)


def _groups(nodes: list[Node], depth: int) -> list[tuple[str | None, list[Node]]]:
    groups: list[tuple[str | None, list[Node]]] = []
    for node in nodes:
        scope = node.scopes[depth] if len(node.scopes) > depth else None
        if scope is not None and groups and groups[-1][0] == scope:
            groups[-1][1].append(node)
        else:
            groups.append((scope, [node]))
    return groups


def _leaf(graph: Graph, node: Node) -> str:
    name = inner_name(node.name, node.scopes[-1] if node.scopes else "")
    count = learned(graph, node)
    parts = [f"{name}: {operation(node)}", ", ".join(map(str, node.outputs))]
    if count:
        parts.append(f"{thousands(count)} weights")
    return "  ".join(parts)


def inner_name(name: str, scope: str) -> str:
    """A name without the block it stands in: `residual#2.conv` in `residual#2` is `conv`."""
    return name.removeprefix(f"{scope}.") if scope else name
