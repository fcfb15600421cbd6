"""Matrices of derivatives: every number of an output by every number of an input, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..backends import Executable, Store
from ..elaborate import elaborate
from ..elaborate.programs import closed
from ..errors import DataError, UsageError
from ..passes import optimise
from ..program import differentiate
from .filled import filled
from .gradcheck import TOLERANCE

if TYPE_CHECKING:
    from .network import Network

Array = np.ndarray[Any, Any]
WIDEST = 12  # columns that fit on a screen
UNIT = "unit vector"  # no name of a model has a space


@dataclass(frozen=True, slots=True)
class Jacobian:
    """d output / d input for one example: a row for each number of the output.

    derived   from the derivative that the compiler found
    measured  from central differences
    """

    output: str
    input: str
    derived: Array
    measured: Array

    def __bool__(self) -> bool:
        return self.gap <= TOLERANCE["central"]

    @property
    def gap(self) -> float:
        """The largest absolute difference of the two matrices."""
        return float(np.abs(self.derived - self.measured).max(initial=0.0))

    def __str__(self) -> str:
        rows, columns = self.derived.shape
        verdict = "ok" if self else "FAIL"
        title = f"d {self.output} / d {self.input}  [{rows}, {columns}]"
        lines = [f"{title}  max abs {self.gap:.1e}  {verdict}"]
        if max(rows, columns) <= WIDEST:
            for name, matrix in (("derived", self.derived), ("measured", self.measured)):
                lines.append(f"  {name}")
                lines += ["  " + " ".join(f"{x:9.6f}" for x in row) for row in matrix]
        return "\n".join(lines)


def jacobians(
    net: Network,
    /,
    *,
    eps: float = 1e-6,
    seed: int = 0,
    data: Mapping[str, ArrayLike] | None = None,
) -> list[Jacobian]:
    """The matrix of each output by each float input, as when predicting, in float64.

    `data` gives one example of inputs by name, [1, *shape]; the others are drawn uniform(-2, 2).

    Raises UsageError where there is no output, no float input or another name, DataError for data
    that is not one example of the input.
    """
    found = []
    for output in net.graph.outputs:
        probe = _Probe(net, output)
        probe.fill(np.random.Generator(np.random.Philox(key=[seed, 1])), data or {})
        rows = probe.rows()
        for name in probe.floats:
            derived = np.array([row[name] for row in rows])
            found.append(Jacobian(output, name, derived, probe.measured(name, eps)))
    if not found:
        raise UsageError("a Jacobian needs an output and an input of real numbers")
    return found


class _Probe:
    """One output as a function of float64 inputs, and its gradient in any direction."""

    def __init__(self, net: Network, output: str) -> None:
        self.output, self.graph = output, net.graph
        model = elaborate(net.syntax, net.params)
        build = model.builder
        value = model.value(model.graph.outputs[output]).value
        unit = build.input("unit", value.type, "data", UNIT)
        inputs = {i.key: i.value for i in build.inputs if i.key in net.graph.inputs}
        self.floats = [n for n in inputs if net.graph.inputs[n].kind == "float"]
        # The gradient of the one number that `unit` picks out is one row.
        chosen = build.sum(build.mul(value, unit))
        slopes = differentiate(build, chosen, [inputs[n] for n in self.floats])
        backward = closed(build, list(zip(self.floats, slopes, strict=True)))
        self.forward = Executable(optimise(closed(build, [(output, value)])), np, "float64")
        self.backward = Executable(optimise(backward), np, "float64")
        self.store = Store(np)
        for name in net.graph.weights:
            self.store[name] = np.array(net[name], np.float64)
        self.scalars = {"seed": net.seed, "draw": net.draws}
        self.data: dict[str, Array] = {}

    def fill(self, random: np.random.Generator, given: Mapping[str, ArrayLike]) -> None:
        """One example: given, or drawn."""
        self.data = filled(self.graph.inputs, random, 1, given, self.forward.program)
        for name, values in self.data.items():
            if len(values) != 1:
                raise DataError(f"a Jacobian wants one example, `{name}` has {len(values)}")

    def value(self) -> Array:
        """The output, flat."""
        return np.array(self.forward.run(self.store, self.data, self.scalars)[self.output]).ravel()

    def rows(self) -> list[dict[str, Array]]:
        """Gradients of each number of the output, by input."""
        shape = self.forward.run(self.store, self.data, self.scalars)[self.output].shape
        found = []
        for unit in np.eye(int(np.prod(shape))).reshape(-1, *shape):
            gradients = self.backward.run(self.store, {**self.data, UNIT: unit}, self.scalars)
            found.append({n: np.array(g).ravel() for n, g in gradients.items()})
        return found

    def measured(self, name: str, eps: float) -> Array:
        """Central differences, one column for each number of the input."""
        flat = self.data[name].reshape(-1)
        columns = []
        for place, held in enumerate(flat.tolist()):
            flat[place] = held + eps
            above = self.value()
            flat[place] = held - eps
            columns.append((above - self.value()) / (2 * eps))
            flat[place] = held
        return np.array(columns).T
