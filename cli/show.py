"""`graphdl show`: a model as a table, a tree, JSON, or the text of a stage of the compiler."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .examples import examples
from .model import graph_of, model, network_of, reads_model
from .settings import overrides, takes_settings

if TYPE_CHECKING:
    from graphdl.graph import Graph, Node
    from graphdl.program import Program


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
    type=click.Choice(["graph", "program", "backward", "schedule", "kernels"]),
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
    source, (params, training) = model(file, text), overrides(settings)
    if stage != "graph":
        click.echo(_stage(source, params, training, stage), nl=False)
        return
    from graphdl.draw import summary, tree

    graph = graph_of(source, params)
    if as_json:
        click.echo(json.dumps(_facts(graph), indent=2))
    else:
        click.echo(tree(graph) if as_tree else summary(graph), nl=False)


def _stage(source: Path | str, params: dict[str, Any], training: dict[str, Any], stage: str) -> str:
    from graphdl.network.judging import settings_of_run
    from graphdl.program.text import text

    net = network_of(source, params, "native" if stage == "kernels" else "numpy")
    settings = settings_of_run(net).but(**training)
    net.use(settings)
    if stage == "kernels":
        return net.kernels(**net.blank(settings.batch))
    program = net.program(stage)
    return text(program) + (_memory(program, settings.batch) if stage == "schedule" else "")


def _memory(program: Program, batch: int) -> str:
    """What the plan of the arena saved, as a comment under the program."""
    from graphdl.draw.summary import size
    from graphdl.passes import plan_memory

    names = {n for op in program.ops for d in op.out.type.shape for n in getattr(d, "names", set)()}
    if names - {"B"}:
        return ""
    plan = plan_memory(program, {"B": batch}, "float32")
    saved = f"{size(plan.unplanned)} without reuse"
    return f"# arena of a step with batch {batch}, float32: {size(plan.size)}; {saved}\n"


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
