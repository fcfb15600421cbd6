"""Sizes of axes: whole numbers, or polynomials over names that get their value at run time.

`B` is the batch, `T` a length named in the model. Arithmetic keeps one canonical form, so that two
sizes are equal exactly when their forms are:

>>> B, T = Size.named("B"), Size.named("T")
>>> (T + 2 - 2) * B == B * T
True
>>> (T - 2) // 2 + 1 == T // 2
True
>>> str((T - 3) // 2 + 2)
'(T-1)//2+1'
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quotient:
    """A floor division or remainder (`operator` is `//` or `%`) that does not come out even."""

    top: Size
    bottom: Dim
    operator: str = "//"

    def __str__(self) -> str:
        top = str(self.top) if _is_name(self.top) else f"({self.top})"
        plain = isinstance(self.bottom, int) or _is_name(self.bottom)
        return f"{top}{self.operator}{self.bottom if plain else f'({self.bottom})'}"

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """The number it stands for."""
        top, bottom = evaluate(self.top, sizes), evaluate(self.bottom, sizes)
        return top // bottom if self.operator == "//" else top % bottom

    @property
    def floors(self) -> bool:
        """Whether this is a floor division by a positive number."""
        return self.operator == "//" and isinstance(self.bottom, int) and self.bottom > 0


Monomial = tuple["str | Quotient", ...]


@dataclass(frozen=True, slots=True)
class Size:
    """A sum of `coefficient * product of atoms`, sorted; never a plain number (that is an int)."""

    terms: tuple[tuple[Monomial, int], ...]

    @staticmethod
    def named(name: str) -> Size:
        """The size called `name`."""
        return Size((((name,), 1),))

    def names(self) -> frozenset[str]:
        """Every name this size depends on."""
        found: set[str] = set()
        for monomial, _ in self.terms:
            for atom in monomial:
                if isinstance(atom, str):
                    found.add(atom)
                else:
                    found |= atom.top.names()
                    found |= atom.bottom.names() if isinstance(atom.bottom, Size) else set()
        return frozenset(found)

    def __add__(self, other: Dim) -> Dim:
        return _collect([*self.terms, *_terms(other)])

    __radd__ = __add__

    def __neg__(self) -> Dim:
        return self * -1

    def __sub__(self, other: Dim) -> Dim:
        return self + (other * -1)

    def __rsub__(self, other: Dim) -> Dim:
        return (self * -1) + other

    def __mul__(self, other: Dim) -> Dim:
        return _collect([(_ordered(a + b), m * n) for a, m in self.terms for b, n in _terms(other)])

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return _floor(self, other)
        whole = _divided(self, other)
        return Size((((Quotient(self, other),), 1),)) if whole is None else whole

    def __rfloordiv__(self, other: int) -> Dim:
        top = Size((((), other),))
        return Size((((Quotient(top, self),), 1),)) if other else 0

    def __mod__(self, other: Dim) -> Dim:
        if _divided(self, other) is not None:
            return 0
        return Size((((Quotient(self, other, "%"),), 1),))

    def __rmod__(self, other: int) -> Dim:
        top = Size((((), other),))
        return Size((((Quotient(top, self, "%"),), 1),)) if other else 0

    def __str__(self) -> str:
        parts: list[str] = []
        for monomial, factor in self.terms:
            names = [str(atom) for atom in monomial]
            numbered = not names or factor not in (1, -1)
            if len(names) + numbered > 1 or factor < 0:
                names = [f"({a})" if isinstance(a, Quotient) else a for a in monomial]
            if numbered:
                names.insert(0, str(abs(factor)))
            sign = "-" if factor < 0 else "+"
            parts.append(("" if sign == "+" and not parts else sign) + "*".join(names))
        return "".join(parts)

    __repr__ = __str__


Dim = int | Size


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The number a size stands for, given the value of each name."""
    if isinstance(dim, int):
        return dim
    total = 0
    for monomial, factor in dim.terms:
        for atom in monomial:
            factor *= sizes[atom] if isinstance(atom, str) else atom.evaluate(sizes)
        total += factor
    return total


def product(dims: tuple[Dim, ...]) -> Dim:
    """The number of elements of a shape."""
    total: Dim = 1
    for dim in dims:
        total = total * dim
    return total


def _is_name(dim: Dim) -> bool:
    if isinstance(dim, int) or len(dim.terms) != 1:
        return False
    monomial, factor = dim.terms[0]
    return factor == 1 and len(monomial) == 1 and isinstance(monomial[0], str)


def _floor(top: Size, bottom: int) -> Dim:
    """`top // bottom` in canonical form: whole parts outside, the rest between -bottom and 0.

    It leans on (x + k*q)//k == x//k + q and on (x//a + y)//c == (x + a*y)//(a*c).
    """
    if bottom == 0:
        raise ZeroDivisionError("a size divided by zero")
    if bottom < 0:
        return _collect([(m, -f) for m, f in top.terms]) // -bottom
    constant = sum(f for m, f in top.terms if not m)
    named = [(m, f) for m, f in top.terms if m]
    common = math.gcd(bottom, *(f for _, f in named))
    bottom, constant = bottom // common, constant // common
    whole: Dim = _collect([(m, f // common // bottom) for m, f in named])
    rest: Dim = _collect([(m, f // common % bottom) for m, f in named])
    outside = -(-constant // bottom)
    whole, constant = whole + outside, constant - outside * bottom
    if isinstance(rest, int):
        return whole + (rest + constant) // bottom
    for monomial, factor in rest.terms:
        inner = monomial[0]
        if factor == len(monomial) == 1 and isinstance(inner, Quotient) and inner.floors:
            others = rest - Size(((monomial, 1),)) + constant
            return whole + (inner.top + others * inner.bottom) // (inner.bottom * bottom)
    shifted = Size(tuple(sorted([*rest.terms, ((), constant)], key=_rank)))
    quotient = Quotient(shifted if constant else rest, bottom)
    return whole + Size((((quotient,), 1),))


def _terms(dim: Dim) -> tuple[tuple[Monomial, int], ...]:
    return dim.terms if isinstance(dim, Size) else (((), dim),)


def _ordered(monomial: Monomial) -> Monomial:
    return tuple(sorted(monomial, key=str))


def _rank(term: tuple[Monomial, int]) -> tuple[int, list[str]]:
    return -len(term[0]), [str(atom) for atom in term[0]]


def _collect(terms: list[tuple[Monomial, int]]) -> Dim:
    total: dict[Monomial, int] = {}
    for monomial, factor in terms:
        total[monomial] = total.get(monomial, 0) + factor
    kept = {m: f for m, f in total.items() if f}
    if not kept:
        return 0
    if list(kept) == [()]:
        return kept[()]
    return Size(tuple(sorted(kept.items(), key=_rank)))


def _divided(top: Size, bottom: Dim) -> Dim | None:
    """`top / bottom` when it comes out even, else None."""
    if bottom == 0:
        raise ZeroDivisionError("a size divided by zero")
    divisor = _terms(bottom)
    if len(divisor) != 1:
        return 1 if top == bottom else None
    (atoms, factor) = divisor[0]
    result = []
    for monomial, count in top.terms:
        rest = list(monomial)
        for atom in atoms:
            if atom not in rest:
                return None
            rest.remove(atom)
        if count % factor:
            return None
        result.append((tuple(rest), count // factor))
    return _collect(result)
