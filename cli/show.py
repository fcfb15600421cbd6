"""`graphdl show`: a model as a table, a tree, JSON, or the text of a stage of the compiler."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from .examples import examples
from .model import model, overrides, reads_model, takes_settings

if TYPE_CHECKING:
    from graphdl.graph import Graph, Node


@click.command(
    epilog=examples(
        "graphdl show digits",
        "graphdl show net.gdl --tree --set hidden=300",
        "graphdl show net.gdl --stage backward",
    )
)
@reads_model
@takes_settings
@click.option("--tree", "as_tree", is_flag=True, help="The nodes under their blocks.")
@click.option(
    "--stage",
    type=click.Choice(["graph", "program", "backward", "schedule"]),
    default="graph",
    help="What the compiler has after this stage.",
)
@click.option("--json", "as_json", is_flag=True, help="The nodes and totals as JSON.")
def command(
    file: str | None,
    text: str | None,
    settings: tuple[str, ...],
    as_tree: bool,
    stage: str,
    as_json: bool,
) -> None:
    """Print the nodes of a model: shapes, weights, multiply-adds, memory."""
    import graphdl
    from graphdl.draw import summary, tree

    net = graphdl.compile(model(file, text), **overrides(settings))
    if stage != "graph":
        click.echo(net.show(stage))
    elif as_json:
        click.echo(json.dumps(_facts(net.graph), indent=2))
    elif as_tree:
        click.echo(tree(net.graph), nl=False)
    else:
        click.echo(summary(net.graph), nl=False)


def _facts(graph: Graph) -> dict[str, Any]:
    from graphdl.draw import total_macs, total_weights

    roles = {"outputs": graph.outputs, "losses": graph.losses, "metrics": graph.metrics}
    return {
        "model": graph.source.name,
        "params": {name: _plain(value) for name, value in graph.params.items()},
        "nodes": [_node(graph, node) for node in graph.nodes.values()],
        **{
            role: {name: wire.node for name, wire in wires.items()} for role, wires in roles.items()
        },
        "weights": {name: list(w.shape) for name, w in graph.weights.items()},
        "total_weights": total_weights(graph),
        "total_macs": _plain(total_macs(graph)),
    }


def _node(graph: Graph, node: Node) -> dict[str, Any]:
    from graphdl.draw import macs

    return {
        "name": node.name,
        "kind": node.kind,
        "operation": node.label,
        "arguments": node.arguments,
        "blocks": list(node.scopes),
        "inputs": [wire.node for wire in node.inputs],
        "shapes": [[_plain(size) for size in output.shape] for output in node.outputs],
        "kinds": [output.kind for output in node.outputs],
        "weights": list(node.weights),
        "macs": _plain(macs(graph, node)),
    }


def _plain(value: object) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
