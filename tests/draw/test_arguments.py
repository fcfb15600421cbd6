from __future__ import annotations

from typing import Any

import pytest

from graphdl.draw import draw
from graphdl.draw.arguments import arguments
from graphdl.draw.summary import operation
from graphdl.elaborate import elaborate
from graphdl.errors import Source
from graphdl.graph import Named, Node


@pytest.mark.parametrize(
    ("written", "given", "shown"),
    [
        ("maps, k, pad = k // 2", {"maps": 16, "kernel": 3, "pad": 1}, "16, 3, pad = 1"),
        ("2 * maps, 3, pad = same", {"maps": 32, "kernel": 3, "pad": "same"}, "32, 3, pad = same"),
        ("[a, b], bias = not flat", {"kernel": [3, 5], "bias": False}, "[3, 5], bias = false"),
        ("p", {"p": 0.25}, "0.25"),
        ("4,3,pad=n", {"maps": 4, "kernel": 3, "pad": 1}, "4, 3, pad = 1"),
        ("4, pad  =\n 1", {"maps": 4, "pad": 1}, "4, pad = 1"),
        ("a==b, c=d!=e", {"a": True, "c": False}, "true, c = false"),
        ("n, init = normal(0.1, s)", {"n": 4, "init": object()}, "4, init = normal(0.1, s)"),
        ("a,\n  b", {"a": 1, "b": 2}, "1, 2"),
        ("a, b", {"a": 1}, "a, b"),
        ("a == b", {"a": True}, "true"),
        ("", {}, ""),
    ],
)
def test_arguments_show_values(written: str, given: dict[str, Any], shown: str) -> None:
    node = Node("n", "layer", "f", written, (), (), (), call=Named("f", (), given))
    assert arguments(node) == shown


@pytest.mark.parametrize(
    ("expression", "operations"),
    [
        ("x * 2 + 0.2", ["* 2", "+ 0.2"]),
        ("1 - x", ["1 -"]),
        ("k // x", ["4 //"]),
        ("(x > 0.5) == (x >= k)", ["> 0.5", ">= 4", "=="]),
        ("max(0, x) + x", ["max(0)", "+"]),
        ("min(x, 2.5) ^ 2", ["min(2.5)", "^ 2"]),
        ("x -> leaky_relu(slope=0.3)", ["leaky_relu(slope = 0.3)"]),
    ],
)
def test_constants_stand_beside_their_operator(expression: str, operations: list[str]) -> None:
    text = f"param k = 4\ninput x[3]\noutput y = number({expression})"
    graph = elaborate(Source("text", text)).graph
    nodes = [node for node in graph.nodes.values() if node.kind not in ("input", "target")]
    assert [operation(node) for node in nodes][:-1] == operations
    drawn = draw(graph).dot
    for shown in operations:
        assert f": {shown}" in drawn.replace("&gt;", ">")
