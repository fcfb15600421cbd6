"""Lexical scopes: names bound once, looked up outwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ..errors import Span
from .values import Fact


@dataclass(slots=True)
class Lazy:
    """A value worked out when a body first uses it: a weight, or a parameter's default."""

    name: str
    make: Callable[[], Any]
    made: Any = None
    busy: bool = False

    def __call__(self) -> Any:
        """The value, made once."""
        if self.made is None:
            if self.busy:
                raise Fact("E0304", f"the default of `{self.name}` needs itself")
            self.busy = True
            try:
                self.made = self.make()
            finally:
                self.busy = False
        return self.made


@dataclass(frozen=True, slots=True)
class Later:
    """Where a statement further down defines a name; a node or constant is a value."""

    span: Span
    is_value: bool


class Bound(Mapping[str, Any]):
    """What a scope had bound at one time: names are bound once, so their order tells."""

    def __init__(self, names: Mapping[str, Any], order: Mapping[str, int]) -> None:
        self._names, self._order, self._count = names, order, len(order)

    def __contains__(self, name: object) -> bool:
        return name in self._names and self._order.get(str(name), -1) < self._count

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        return self._names[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


SPOILED = object()  # the value of a name whose statement is wrong


@dataclass(slots=True)
class Scope:
    """Names with values, and the order in which they came.

    `later` has every name that the statements of the body define, reached or not: it says why a
    name that is not found is not there.
    """

    parent: Scope | None = None
    names: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    later: dict[str, Later] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    order: dict[str, int] = field(default_factory=dict)

    def find(self, name: str) -> Scope | None:
        """The innermost scope that binds `name`."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope
            scope = scope.parent
        return None

    @property
    def library(self) -> Scope:
        """The outermost scope: the compiler's functions and the prelude."""
        return self.parent.library if self.parent else self

    def bind(self, name: str, value: Any, span: Span | None = None) -> None:
        """Give a name its value."""
        self.names[name] = value
        self.order.setdefault(name, len(self.order))
        if span is not None:
            self.spans[name] = span

    def child(self, **names: Any) -> Scope:
        """A scope inside this one."""
        return Scope(self, dict(names))

    def so_far(self) -> Scope:
        """This scope with what it has now; what is bound in it afterwards is not seen."""
        names = cast("dict[str, Any]", Bound(self.names, self.order))  # nothing is bound in it
        return Scope(self.parent, names, self.spans, self.later, self.used)

    def reachable(self) -> dict[str, Any]:
        """Every name in reach with its value, the innermost of each."""
        outer = self.parent.reachable() if self.parent else {}
        return {**outer, **self.names}

    def defined_later(self, name: str) -> Later | None:
        """Where a later statement of this or an outer scope defines the name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.later:
                return scope.later[name]
            scope = scope.parent
        return None
