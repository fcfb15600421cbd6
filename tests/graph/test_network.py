"""The model graph as networkx sees it."""

from __future__ import annotations

import networkx

from graphdl.elaborate import elaborate
from graphdl.errors import Source

MODEL = """
input x[4]
h = x -> linear(3)
output y = h * h + h
"""


def test_edges_are_wires_and_nodes_come_after_what_they_read() -> None:
    graph = elaborate(Source("square.gdl", MODEL)).graph
    network = graph.network()
    assert networkx.is_directed_acyclic_graph(network)
    wires = [wire for node in graph.nodes.values() for wire in node.inputs]
    assert sorted(w.node for w in wires) == sorted(tail for tail, _ in network.edges())
    assert len(network.edges("h.linear")) == 3  # twice into the product, once into the sum
    position = {name: i for i, name in enumerate(graph.nodes)}
    assert all(position[tail] < position[head] for tail, head in network.edges())
