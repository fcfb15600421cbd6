"""What a node costs per example: multiply-adds and numbers kept, from its shapes alone."""

from __future__ import annotations

from ..graph import Graph, Node
from ..program import Dim, product

RECURRENT = ("rnn", "lstm", "gru")


def macs(graph: Graph, node: Node) -> Dim:
    """Multiply-adds of one example through `node`; 0 for what is neither product nor convolution.

    One output element of a linear layer or of a convolution reads one row of its kernel, whose
    first axis is the output: so the count is output elements times the size of a row.
    """
    if node.label == "@":
        return product(node.outputs[0].shape) * graph.shaped(node.inputs[0]).shape[-1]
    if node.label in RECURRENT or node.kind == "scan":
        # Every matrix of a cell is taken to be used once in each step.
        matrices = [w for w in (graph.weights[n] for n in node.weights) if len(w.shape) > 1]
        return node.outputs[0].shape[0] * sum(weight.count for weight in matrices)
    if node.label not in ("linear", "conv", "conv1d"):
        return 0
    kernels = [w.shape for w in (graph.weights[n] for n in node.weights) if len(w.shape) > 1]
    return product(node.outputs[0].shape) * product(kernels[0][1:]) if kernels else 0


def learned(graph: Graph, node: Node) -> int:
    """Learned numbers a node uses, running statistics left out."""
    used = (graph.weights[name] for name in node.weights)
    return sum(weight.count for weight in used if weight.kind == "weight")


def total_weights(graph: Graph) -> int:
    """Learned numbers of the whole model; a shared weight counts once."""
    return sum(weight.count for weight in graph.weights.values() if weight.kind == "weight")


def total_macs(graph: Graph) -> Dim:
    """Multiply-adds of one example through the whole model."""
    total: Dim = 0
    for node in graph.nodes.values():
        total = total + macs(graph, node)
    return total


def total_values(graph: Graph) -> Dim:
    """Numbers that flow along the edges for one example, inputs and targets left out."""
    total: Dim = 0
    for node in graph.nodes.values():
        if node.kind not in ("input", "target", "weight"):
            for output in node.outputs:
                total = total + product(output.shape)
    return total


def sharers(graph: Graph) -> dict[str, list[str]]:
    """Weights that more than one node uses, with the nodes that use them, in order."""
    users: dict[str, list[str]] = {}
    for node in graph.nodes.values():
        for name in node.weights:
            users.setdefault(name, []).append(node.name)
    return {name: nodes for name, nodes in users.items() if len(nodes) > 1}
