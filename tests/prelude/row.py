"""A row of the tables: an expression of the language beside a formula of NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from graphdl.backends import Executable, Store
from graphdl.elaborate import elaborate, predicting
from graphdl.errors import Source
from graphdl.passes import optimise
from graphdl.program import evaluate

Array = np.ndarray[Any, Any]
SIZES = {"B": 3, "T": 5}


@dataclass(frozen=True)
class Row:
    """What is under test, what it is given, and what must come out.

    given    the inputs, `x[3]; ids[T]: int(4)`
    formula  of the batch and the weights, each by its last name
    smooth   whether the gradient is checked as well
    data     numbers instead of drawn ones
    low      from where floats are drawn, up to 2
    single   how far float32 may be off, absolutely and relatively
    wrong    expressions with inputs that are refused: their code and sentence
    also     further lines of the model
    """

    name: str
    expression: str
    given: str
    formula: Callable[[Any], Any]
    training: bool = False
    smooth: bool = True
    data: Mapping[str, Any] = field(default_factory=dict)
    low: float = -2.0
    single: float = 1e-5
    wrong: tuple[tuple[str, str, str, str], ...] = ()
    also: str = ""

    @property
    def id(self) -> str:
        """For the list of tests."""
        return f"{self.name}: {self.expression}{' (training)' if self.training else ''}"

    @property
    def text(self) -> str:
        """The whole model."""
        return model(self.given, self.expression, self.also)


def model(given: str, expression: str, also: str = "") -> str:
    """A model whose output y is the expression, with a loss that bends it."""
    inputs = "".join(f"input {one.strip()}\n" for one in given.split(";"))
    return f"{inputs}{also}\ny = {expression}\noutput = y\nloss = mean((y - 0.3) ^ 2)\n"


def results(row: Row, dtype: str) -> tuple[Array, Array]:
    """What graphdl computes, and what the formula does in float64 from the same numbers."""
    elaborated = elaborate(Source("<row>", row.text), training=row.training)
    graph = elaborated.graph
    random = np.random.default_rng(11)
    store = Store(np)
    known: dict[str, Array] = {}
    for name, weight in graph.weights.items():
        values = random.uniform(0.2, 1, weight.shape).astype(dtype)
        store[name] = values
        known[name.rpartition(".")[2]] = values.astype("float64")
    data: dict[str, Array] = {}
    for name, shaped in graph.inputs.items():
        shape = (SIZES["B"], *(evaluate(d, SIZES) for d in shaped.shape))
        if name in row.data:
            drawn = np.broadcast_to(np.asarray(row.data[name]), shape)
        elif shaped.kind == "int":
            drawn = random.integers(0, shaped.classes, shape)
        else:
            drawn = random.uniform(row.low, 2, shape)
        data[name] = drawn.astype("int64" if shaped.kind == "int" else dtype)
        known[name] = data[name].astype("int64" if shaped.kind == "int" else "float64")
    program = predicting(elaborated, {"y": graph.outputs["output"]})
    executable = Executable(optimise(program), np, dtype)
    got = np.array(executable.run(store, data, {"seed": 0, "draw": 0})["y"])
    return got, np.asarray(row.formula(SimpleNamespace(**known)))
