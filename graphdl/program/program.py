"""The tensor program: a typed list `value = primitive(values, constants)`, each name bound once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .size import Dim, product

if TYPE_CHECKING:
    from .primitive import Primitive

Kind = Literal["float", "int", "bool"]


@dataclass(frozen=True, slots=True)
class Type:
    """Shape (batch axis included, when there is one) and kind of a value."""

    shape: tuple[Dim, ...]
    kind: Kind = "float"

    @property
    def count(self) -> Dim:
        """The number of elements."""
        return product(self.shape)

    def __str__(self) -> str:
        return f"{self.kind}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True, eq=False, slots=True)
class Value:
    """One tensor of a program; two values are the same only if they are the same object."""

    name: str
    type: Type

    def __repr__(self) -> str:
        return f"%{self.name}: {self.type}"


Role = Literal["data", "weight", "state", "scalar"]


@dataclass(frozen=True, slots=True)
class Input:
    """A value that comes from outside.

    role    key
    data    name of the model's input or target
    weight  name of a weight: kept between runs, may be updated
    state   name of something else kept between runs: running statistics, an optimiser's memory
    scalar  a number fed at each run: `lr`, `step` (update counter from 1), `draw` (random counter)
    """

    value: Value
    role: Role
    key: str


@dataclass(frozen=True, slots=True)
class Op:
    """`out = primitive(args)`; `origin` is the path of the model node it was lowered from."""

    out: Value
    primitive: Primitive
    args: tuple[Value, ...]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """At the end of a run the input `target` (a weight or state) takes the value `value`."""

    target: Value
    value: Value


@dataclass(frozen=True, slots=True)
class Program:
    """Inputs, operations in order, named outputs, and updates of what is kept between runs."""

    inputs: tuple[Input, ...]
    ops: tuple[Op, ...]
    outputs: tuple[tuple[str, Value], ...]
    updates: tuple[Update, ...] = ()

    @property
    def results(self) -> tuple[Value, ...]:
        """Every value that must be computed: outputs, then updates."""
        return tuple(v for _, v in self.outputs) + tuple(u.value for u in self.updates)
