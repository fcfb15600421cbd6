"""Padding: of a sequence that is shorter than the longest of its batch, only the real steps count.

What is real belongs to a size, not to a tensor: whatever has an axis `T`, or one made of it such as
the `T-2` behind a convolution, is as long as the sequence that `T` was declared with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import Builder, Dim, Size, Value
from ..program.size import Monomial, Quotient
from .values import BATCH, Fact, Tensor

if TYPE_CHECKING:
    from .tracer import Tracer

LOWEST = {"float": -3e38, "int": -(2**62)}


class Padding:
    """How long each example of a batch is, for every length that was declared with padding.

    `turned` are sequences whose real steps were turned round, by picking them one by one.

    A sequence always has one step: of nothing there is neither a mean nor a largest.
    """

    def __init__(self, build: Builder) -> None:
        self.build = build
        self.names: dict[str, str] = {}
        self._ids: dict[str, tuple[Value, int]] = {}
        self._lengths: dict[str, Value] = {}
        self._real: dict[str, Value] = {}
        self._numbers: dict[str, Value] = {}
        self.turned: set[Value] = set()
        # Of masks of floats, the truths that they are.
        self.truths: dict[Value, Value] = {}

    def declare(self, size: Dim, name: str, ids: Value, pad: int) -> None:
        """The input or target `name`, [B, T] ids, ends where only `pad` follows."""
        length = str(size)
        if length in self.names:
            raise Fact(
                "E0407",
                f"`{length}` ends where `{self.names[length]}` does, and where `{name}` does",
                f"write `{name}[U]`, or leave the `pad` of one of them out",
            )
        self.names[length] = name
        self._ids[length] = (ids, pad)

    def concerns(self, dim: Dim) -> bool:
        """Whether an axis of this size may end in padding."""
        return isinstance(dim, Size) and not dim.names().isdisjoint(self.names)

    def length(self, dim: Dim) -> Value:
        """How many entries of an axis are real in each example: whole numbers [B], from 1."""
        key = str(dim)
        if key not in self._lengths:
            found = self._declared(key) if key in self._ids else self._worked_out(dim)
            self._lengths[key] = self.build.maximum(found, 1)
        return self._lengths[key]

    def number(self, dim: Dim) -> Value:
        """A size as a number, with the real length of each example in it: floats [B].

        `length` counts entries, so that it has at least 1; this is the number as written.
        """
        key = str(dim)
        if key not in self._numbers:
            self._numbers[key] = self.build.cast(self._written(dim), "float")
        return self._numbers[key]

    def _written(self, dim: Dim) -> Value:
        build = self.build
        if not self.concerns(dim):
            return build.cast(build.extent(dim), "int")
        assert isinstance(dim, Size)
        total: Value | None = None
        for monomial, factor in dim.terms:
            term = build.constant(factor, "int")
            for atom in monomial:
                term = build.mul(term, self._atom(atom))
            total = term if total is None else build.add(total, term)
        assert total is not None
        return total

    def _atom(self, atom: str | Quotient) -> Value:
        if isinstance(atom, str):
            name = Size.named(atom)
            return self.length(name) if self.concerns(name) else self._written(name)
        top, bottom = self._written(atom.top), self._written(atom.bottom)
        return getattr(self.build, "floordiv" if atom.operator == "//" else "mod")(top, bottom)  # type: ignore[no-any-return]

    def real(self, dim: Dim) -> Value:
        """Which entries of an axis are real: truths [B, dim]."""
        key = str(dim)
        if key not in self._real:
            length = self.build.reshape(self.length(dim), (BATCH, 1))
            self._real[key] = self.build.less(self.build.iota((dim,), 0), length)
        return self._real[key]

    def _worked_out(self, dim: Dim) -> Value:
        """A size with the real length of each example in the place of the longest one."""
        if not self.concerns(dim):
            return self.build.cast(self.build.extent(dim), "int")
        assert isinstance(dim, Size)
        total: Value | None = None
        for monomial, factor in dim.terms:
            term = self._term(monomial, factor, dim)
            total = term if total is None else self.build.add(total, term)
        assert total is not None
        return total

    def _term(self, monomial: Monomial, factor: int, dim: Dim) -> Value:
        part = Size(((monomial, factor),)) if monomial else factor
        if not self.concerns(part):
            return self.build.cast(self.build.extent(part), "int")
        atom, *others = monomial
        if factor == 1 and not others:
            if isinstance(atom, str):
                return self.length(part)
            if isinstance(atom, Quotient) and atom.floors and isinstance(atom.bottom, int):
                return self.build.floordiv(self._worked_out(atom.top), atom.bottom)
        raise Fact(
            "E0408",
            f"which of {dim} entries are padding cannot be told: they are not steps any more",
            "reduce over time before reshaping",
        )

    def _declared(self, name: str) -> Value:
        """The place behind the last id that is no padding."""
        ids, pad = self._ids[name]
        place = self.build.add(self.build.iota(ids.type.shape[1:], 0), 1)
        ends = self.build.select(self.build.not_equal(ids, pad), place, 0)
        return self.build.amax(ends, [1])


def batched(t: Tracer, x: Tensor) -> Tensor:
    """The same for every example."""
    if x.batched:
        return x
    return Tensor(t.builder.broadcast(x.value, (BATCH, *x.value.type.shape)), True, x.classes)


def mask(t: Tracer, x: Tensor, axes: tuple[int, ...]) -> Value | None:
    """What is real along some axes of a batched tensor, or None where all of it is.

    `axes` count per example. The result is aligned with the tensor's value, other axes having size
    1.
    """
    found: Value | None = None
    for axis in axes:
        dim = x.shape[axis]
        if not t.padding.concerns(dim):
            continue
        shape = [BATCH, *(dim if i == axis else 1 for i in range(x.rank))]
        real = t.builder.reshape(t.padding.real(dim), shape)
        found = real if found is None else t.builder.logical_and(found, real)
    return found


def zeroed(t: Tracer, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Numbers with zeros in the place of padding."""
    if not any(t.padding.concerns(x.shape[axis]) for axis in axes):
        return x
    x = batched(t, x)
    real = mask(t, x, axes)
    assert real is not None
    return Tensor(t.builder.select(real, x.value, 0.0), True)


def at_steps(t: Tracer, x: Tensor, steps: Value) -> Value:
    """Entries of the first axis of a batched tensor: steps [B, ...] give [B, ..., *rest]."""
    build, (length, *rest) = t.builder, x.shape
    size = build.cast(build.extent(length), "int")
    first = build.mul(build.iota((BATCH,), 0), size)
    first = build.reshape(first, (BATCH, *(1,) * (len(steps.type.shape) - 1)))
    rows = build.reshape(x.value, (BATCH * length, *rest))
    return build.gather(rows, build.add(steps, first))
