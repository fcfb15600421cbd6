"""The contraction with an operand that has one number in each row, the others being zero."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Type, Value
from ..size import Dim, evaluate
from .contract import Contract
from .index import placed
from .ordered import ordered
from .spec import Extents

if TYPE_CHECKING:
    from ..builder import Builder


@dataclass(frozen=True)
class ContractSpread(Primitive):
    """`contract` with a left (`side` 0) or right operand that is never made.

    Along its axis `axis`, of `count` entries, it has `values` at `ids` and zeros elsewhere.
    """

    name = "contract_spread"
    finite = True
    spec: str
    axis: int
    count: Dim
    side: int
    extents: Extents = ()

    @property
    def contract(self) -> Contract:
        """The contraction that the operand would go into."""
        return Contract(self.spec, self.extents)

    def infer(self, *types: Type) -> Type:
        ids, values, other = types
        if ids.kind != "int" or ids.shape != values.shape:
            raise ShapeError(f"contract_spread takes an id for each value, not {ids} for {values}")
        if not 0 <= self.axis <= len(ids.shape) or self.side not in (0, 1):
            raise ShapeError(f"{ids} cannot lead along axis {self.axis} of operand {self.side}")
        shape = (*ids.shape[: self.axis], self.count, *ids.shape[self.axis :])
        return self.contract.infer(*self._operands(Type(shape, values.kind), other))

    def _operands(self, spread: Any, other: Any) -> tuple[Any, Any]:
        return (other, spread) if self.side else (spread, other)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        ids, values, other = args
        rank, axis = len(ids.type.shape), self.axis
        last = (*range(axis), *range(axis + 1, rank + 1), axis)
        first = (*range(axis), rank, *range(axis, rank))
        spread = build.transpose(build.spread(ids, values, self.count), first)
        grads = self.contract.vjp(build, self._operands(spread, other), out, grad)
        to_spread, to_other = grads[:: -1 if self.side else 1]
        assert to_spread is not None
        return None, build.pick(build.transpose(to_spread, last), ids), to_other

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        ids, values, other = args
        values, copies = ordered(xp, scratch, values)
        yield from copies
        count = evaluate(self.count, sizes)
        shape = (*ids.shape[: self.axis], count, *ids.shape[self.axis :])
        spread = scratch(shape, "float")
        steps = [stride // spread.itemsize for stride in spread.strides]
        step = steps.pop(self.axis)
        flat, calls = placed(xp, scratch, ids, steps, step)
        yield from calls
        yield partial(spread.fill, 0)
        yield partial(operator.setitem, spread.reshape(-1), flat, values.reshape(-1))
        operands = self._operands(spread, other)
        yield from self.contract.kernel(xp, scratch, sizes, out, *operands)
