"""Names in `freeze` and `max_norm`: one layer, all of its kind, or everything inside."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gdl

MODEL = """input x[4]
h = x -> linear(5) -> tanh -> linear(4) -> tanh
block x -> pair(n) { x -> linear(n) -> linear(n) }
y = h -> pair(4) -> pair(3) -> layer_norm
loss = mean(y ^ 4)
"""
LAYERS = ["h.linear", "h.linear#2", "y.pair.linear", "y.pair.linear#2"]
LAYERS += ["y.pair#2.linear", "y.pair#2.linear#2", "y.layer_norm"]
NAMES = {
    "h": LAYERS[:2],
    "h.linear": LAYERS[:1],
    "h.linear#2": LAYERS[1:2],
    "h.linear*": LAYERS[:2],
    "y.pair": LAYERS[2:4],
    "y.pair.linear": LAYERS[2:3],
    "y.pair*": LAYERS[2:6],
    "y.pair*.linear": [LAYERS[2], LAYERS[4]],
    "y.pair*.linear*": LAYERS[2:6],
    "y.pair#2": LAYERS[4:6],
    "y.layer_norm": LAYERS[6:],
    "y": LAYERS[2:],
}


def stepped(setting: str) -> tuple[dict[str, bool], gdl.Network]:
    """Whether each layer moved in one step, and the network after it."""
    net = gdl.compile(f"{MODEL}train {{\n  {setting}\n  optimizer = sgd(0.1)\n}}")
    before = {n: values.copy() for n, values in net.weights.items()}
    net.step(x=np.random.default_rng(0).normal(size=(5, 4)))
    moved = {n.rpartition(".")[0]: False for n in before}
    for n, values in before.items():
        moved[n.rpartition(".")[0]] |= bool((net[n] != values).any())
    return moved, net


@pytest.mark.parametrize("name", NAMES)
def test_freeze(name: str) -> None:
    moved, _ = stepped(f'freeze = ["{name}"]')
    assert [layer for layer in LAYERS if not moved[layer]] == NAMES[name]


@pytest.mark.parametrize("name", NAMES)
def test_max_norm(name: str) -> None:
    _, net = stepped(f'max_norm = {{"{name}": 0.01}}')
    longest = {n[:-7]: norm for n in net if (norm := row(net, n)) and n.endswith(".weight")}
    small = [layer for layer in LAYERS if longest.get(layer, 1) < 0.011]
    assert small == [layer for layer in NAMES[name] if layer != "y.layer_norm"]


def row(net: gdl.Network, name: str) -> float:
    """The norm of the longest row."""
    return float(np.linalg.norm(net[name], axis=-1).max())


def test_of_two_limits_the_longer_name_counts() -> None:
    for limits in ('{"h.linear": 0.5, h: 0.01}', '{h: 0.01, "h.linear": 0.5}'):
        _, net = stepped(f"max_norm = {limits}")
        norms = [row(net, f"{layer}.weight") for layer in LAYERS[:2]]
        assert norms == pytest.approx([0.5, 0.01], rel=1e-3)


@pytest.mark.parametrize("setting", ["freeze = [NAME]", "max_norm = {NAME: 1}"])
@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("h.liner", "h.linear"),
        ("h.lin", "h.linear"),
        ("h.lin*", "h.linear"),
        ("h.linear#3", "h.linear"),
        ("linear", "h.linear"),
        ("y.pair.linear.wight", "y.pair.linear.weight"),
        ("", "h.linear"),
        ("*", "h.linear"),
    ],
)
def test_a_name_of_nothing_is_an_error(setting: str, name: str, near: str) -> None:
    setting = setting.replace("NAME", f'"{name}"')
    (found,) = [d for d in gdl.check(f"{MODEL}train {{ {setting} }}") if d.is_error]
    if name:
        assert (found.code, found.message) == ("E0705", f"no weight is called `{name}`")
        assert near in found.hints[0]
    else:
        assert found.code == "E0702"
