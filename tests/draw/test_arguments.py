from __future__ import annotations

from typing import Any

import pytest

from graphdl.draw.arguments import arguments
from graphdl.graph import Named, Node


@pytest.mark.parametrize(
    ("written", "given", "shown"),
    [
        ("maps, k, pad = k // 2", {"maps": 16, "kernel": 3, "pad": 1}, "16, 3, pad = 1"),
        ("2 * maps, 3, pad = same", {"maps": 32, "kernel": 3, "pad": "same"}, "32, 3, pad = same"),
        ("[a, b], bias = not flat", {"kernel": [3, 5], "bias": False}, "[3, 5], bias = false"),
        ("p", {"p": 0.25}, "0.25"),
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
