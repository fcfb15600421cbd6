"""What must hold for every valid model: values, gradients, updates, the same text twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import graphdl
from graphdl.backends import Executable, Store
from graphdl.graph import Wire
from graphdl.network import Network, Port

from .interpreter import Array, Result, interpret
from .verdict import unwarned
from .writer import Sample

EXACT = 1e-9
# Rounding of float32 through a few dozen operations, on values up to about 10; normalisation and
# logarithms of small numbers multiply it.
ROUNDED = 2e-3


def judge(sample: Sample) -> None:
    """Raise AssertionError when something about the sample's network is not as it must be."""
    net = compiled(sample)
    for batch in (5, 1):
        predicts(net, sample, batch, EXACT)
    twice(net, sample)
    if not sample.jumpy:
        predicts(compiled(sample, "float32"), sample, 3, ROUNDED)
    if net.graph.losses:
        data = drawn({**net.inputs, **net.targets}, sample, 3, "float64")
        report = net.gradcheck(data=data, samples=8)
        assert not report.failures, str(report)
        optimised_equals_plain(net, sample)
        trains(net, sample)


def compiled(sample: Sample, dtype: str = "float64", seed: int = 7) -> Network:
    """The sample's network."""
    with unwarned():
        return graphdl.compile(sample.text, dtype=dtype, seed=seed, **sample.params)


def drawn(ports: Mapping[str, Port], sample: Sample, batch: int, dtype: str) -> dict[str, Array]:
    """Numbers for inputs and targets."""
    random = np.random.default_rng(len(sample.text))
    data: dict[str, Array] = {}
    for name, port in ports.items():
        shape = [batch, *(sample.sizes[n] if isinstance(n, str) else n for n in port.shape)]
        if port.dtype == "int64":
            data[name] = random.integers(0, port.classes or 2, shape)
        else:
            data[name] = random.uniform(-2, 2, shape).astype(dtype)
    return data


def expected(
    net: Network, sample: Sample, data: Mapping[str, Array], *, training: bool = False
) -> Result:
    """What the interpreter makes of the network's graph."""
    weights = {name: net[name] for name in net.graph.weights}
    sizes = {**sample.sizes, "B": len(next(iter(data.values())))}
    return interpret(net.graph, weights, data, sample.ops, sizes, training=training)


def agree(found: Any, wanted: Any, tolerance: float, what: str) -> None:
    """Equal up to `tolerance` relative to the largest number (at least 1)."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape, f"{what}: {found.shape} is not {wanted.shape}"
    if wanted.size:
        scale = max(1.0, float(np.abs(wanted).max()))
        gap = float(np.abs(found.astype(float) - wanted.astype(float)).max())
        assert gap <= tolerance * scale, f"{what}: off by {gap:.3g} of {scale:.3g}"


def predicts(net: Network, sample: Sample, batch: int, tolerance: float) -> None:
    """Every node, every output, the loss and the metrics."""
    data = drawn({**net.inputs, **net.targets}, sample, batch, net.dtype)
    values = expected(net, sample, data)
    graph, inputs = net.graph, {name: data[name] for name in net.inputs}
    reached = expected(net, sample, inputs).values
    # A comparison turns a rounding error into a whole one; what follows from it is compared.
    floats = [n.name for n in graph.nodes.values() if n.outputs[0].kind == "float"]
    nodes = [name for name in floats if Wire(name) in reached]
    for name, array in net(**inputs, outputs=nodes).items():
        wire = graph.outputs.get(name, Wire(name))
        agree(array, values.array(wire), tolerance, f"node `{name}`, batch {batch}")
    if graph.outputs:
        for name, array in net(**inputs).items():
            wanted = values.array(graph.outputs[name])
            agree(array, wanted, tolerance, f"output `{name}`, batch {batch}")
    if graph.losses:
        total = sum(float(values.array(wire)) for wire in graph.losses.values())
        agree(net.loss(**data), total, tolerance, f"loss, batch {batch}")
    found = net.evaluate_batch(data)
    for name, wire in graph.metrics.items():
        if not sample.jumpy and "accuracy" not in name:
            agree(found[name], float(values.array(wire)), tolerance, f"metric `{name}`")


def twice(net: Network, sample: Sample) -> None:
    """The same text and seed give the same weights; another seed others."""
    again = compiled(sample)
    assert list(again.graph.weights) == list(net.graph.weights)
    for name in net.graph.weights:
        assert np.array_equal(again[name], net[name]), name


def optimised_equals_plain(net: Network, sample: Sample) -> None:
    """One step by the program as differentiated, by the optimised one, and by its kernels."""
    data = drawn({**net.inputs, **net.targets}, sample, 3, "float64")
    scalars = {"seed": 7, "draw": 3, "lr": 0.05, "step": 1, "group": 1}
    results, states = [], []
    for stage, native in (("backward", False), ("schedule", False), ("schedule", True)):
        program = net.program(stage)
        store = Store(np)
        for item in program.inputs:
            if item.role in ("weight", "state"):
                known = item.key in net.graph.weights
                shape = [int(n) for n in item.value.type.shape]  # type: ignore[arg-type]
                store[item.key] = np.array(net[item.key]) if known else np.full(shape, 0.125)
        found = Executable(program, np, "float64", native).run(store, data, scalars)
        results.append({name: np.array(value) for name, value in found.items()})
        states.append(store)
    for name, value in results[0].items():
        if not sample.jumpy:
            agree(results[1][name], value, EXACT, f"optimised `{name}`")
            agree(results[2][name], value, EXACT, f"native `{name}`")
    assert set(states[1]) <= set(states[0])
    for name in states[1]:
        if not sample.jumpy:
            agree(states[1][name], states[0][name], 1e-7, f"optimised state `{name}`")
            agree(states[2][name], states[0][name], 1e-7, f"native state `{name}`")


def learns(net: Network) -> bool:
    """Whether a weight can change the loss at all: else a step is refused."""
    try:
        net.training_step().require_learning()
    except graphdl.ModelError as error:
        if [d.code for d in error.diagnostics] != ["E0707"]:
            raise
        return False
    return True


def trains(net: Network, sample: Sample) -> None:
    """A step reports the loss of training and changes weights, and running averages as it must."""
    data = drawn({**net.inputs, **net.targets}, sample, 4, "float64")
    wanted = expected(net, sample, data, training=True)
    total = sum(float(wanted.array(wire)) for wire in net.graph.losses.values())
    gradients = net.gradients(**data)
    penalised = "l1 =" in sample.text or "l2 =" in sample.text
    if not learns(net):
        # A penalty alone moves weights, and teaches nothing.
        assert penalised or not any(np.any(gradient) for gradient in gradients.values())
        return
    before = net.weights | {}
    held = {name: np.array(array) for name, array in before.items()}
    loss = net.step(lr=None, **data)
    if not sample.random and not penalised:
        agree(loss, total, EXACT, "loss while training")
    if not sample.random:
        for name, array in wanted.running.items():
            agree(net[name], array, EXACT, f"running `{name}`")
    moved = [name for name in held if not np.array_equal(held[name], net[name])]
    steep = [name for name, g in gradients.items() if np.abs(g).max(initial=0.0) > 1e-6]
    assert set(steep) <= set(moved), f"unmoved: {set(steep) - set(moved)}"
