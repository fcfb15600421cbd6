"""`param`: defaults, domains, what may be given from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import ModelError

MODEL = """
param n = 3 in 1..9
param rate = 0.5 in 0.0..0.9
param wide = false
param name = "plain" in ["plain", "fancy"]
param widths = [4, 5]
param half = n // 2
input x[8]
output y = x -> linear(n)
  -> if wide { linear(64) }
  -> if name == "fancy" { layer_norm }
  -> repeat w in widths { linear(w) }
"""

ACCEPTED = [
    ({}, {"n": 3, "rate": 0.5, "wide": False, "name": "plain", "widths": [4, 5], "half": 1}),
    ({"n": 9}, {"n": 9, "half": 4}),
    ({"n": np.int64(7)}, {"n": 7}),
    ({"rate": 0}, {"rate": 0.0}),
    ({"rate": np.float32(0.25)}, {"rate": 0.25}),
    ({"wide": True}, {"wide": True}),
    ({"wide": np.True_}, {"wide": True}),
    ({"name": "fancy"}, {"name": "fancy"}),
    ({"widths": []}, {"widths": []}),
    ({"widths": (3,)}, {"widths": [3]}),
]
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"n": 0}, "E0501", "`n` must be in 1..9, got 0"),
    ({"n": 10}, "E0501", "`n` must be in 1..9, got 10"),
    ({"n": 2.0}, "E0501", "`n` is a whole number, got 2.0"),
    ({"n": True}, "E0501", "`n` is a whole number, got true"),
    ({"n": "3"}, "E0501", '`n` is a whole number, got "3"'),
    ({"n": None}, "E0501", "`n` is a whole number, got nothing"),
    ({"rate": 1}, "E0501", "`rate` must be in 0.0..0.9, got 1.0"),
    ({"rate": float("nan")}, "E0501", "`rate` must be in 0.0..0.9, got nan"),
    ({"rate": "high"}, "E0501", '`rate` is a number, got "high"'),
    ({"wide": 1}, "E0501", "`wide` is true or false, got 1"),
    ({"name": "fanciest"}, "E0501", '`name` must be one of "plain", "fancy", got "fanciest"'),
    ({"widths": 4}, "E0501", "`widths` is a list, got 4"),
    ({"widths": [{}]}, "E0501", "`widths` is a list, got [{}]"),
    ({"nn": 4}, "E0502", "no parameter `nn`"),
]


@pytest.mark.parametrize(("given", "wanted"), ACCEPTED)
def test_values(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    params = gdl.compile(MODEL, **given).params
    assert {name: params[name] for name in wanted} == wanted
    assert [type(params[name]) for name in wanted] == [type(v) for v in wanted.values()]


@pytest.mark.parametrize(("given", "code", "sentence"), REFUSED)
def test_refusals(given: dict[str, Any], code: str, sentence: str) -> None:
    with pytest.raises(ModelError) as caught:
        gdl.compile(MODEL, **given)
    assert [(d.code, d.message) for d in caught.value.diagnostics] == [(code, sentence)]


def test_every_wrong_parameter_is_told_at_once() -> None:
    found = gdl.check(MODEL, n=10, rate=2, wide=3)
    assert [d.code for d in found] == ["E0501"] * 3


def test_a_parameter_shapes_the_model() -> None:
    net = gdl.compile(MODEL, wide=True, name="fancy", widths=[2])
    assert [w.shape for w in net.weights.values()] == [
        (3, 8), (3,), (64, 3), (64,), (64,), (64,), (2, 64), (2,),
    ]  # fmt: skip


def test_a_parameter_is_known_to_the_network_and_its_checkpoint(tmp_path: Path) -> None:
    net = gdl.compile(MODEL, n=5)
    net.save(tmp_path / "net.safetensors")
    assert gdl.load(tmp_path / "net.safetensors").params == net.params


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("param a = x", "E0204"),
        ("param a = relu", "E0504"),
        ("param a = 3 in 5", "E0504"),
        ('param a = 3 in "5"', "E0504"),
        ("param a = 3 in 5..9", "E0501"),
        ("param a = 3 in []", "E0501"),
        ("param a = 3 in 9..1", "E0501"),
        ("param a = 1 / 0", "E0309"),
        ("param a = b", "E0201"),
        ("param a = a", "E0304"),
        ("param a = [relu]", "E0504"),
        ("param a = 3\nparam a = 4", "E0203"),
    ],
)
def test_wrong_declarations(line: str, code: str) -> None:
    found = gdl.check(f"{line}\ninput x[3]\noutput y = x -> linear(2)")
    assert [d.code for d in found] == [code]
