"""Which definitions own weights: they are reached by an arrow only."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ..syntax import tree
from .values import Definition

_OF_THE_PRELUDE: dict[tuple[int, tuple[str, ...]], bool] = {}


def owns_weights(definition: Definition) -> bool:
    """True when the definition, or one it calls, declares a weight, state or running register."""
    return _declares(definition, ("weight", "state", "running"))


def learns(definition: Definition) -> bool:
    """True when the definition, or one it calls, declares a weight."""
    return _declares(definition, ("weight",))


def _declares(definition: Definition, kinds: tuple[str, ...]) -> bool:
    if not definition.prelude:
        return _searched(definition, kinds)
    # The prelude's trees live as long as the process, and mean the same in every model.
    key = id(definition.tree), kinds
    if key not in _OF_THE_PRELUDE:
        _OF_THE_PRELUDE[key] = _searched(definition, kinds)
    return _OF_THE_PRELUDE[key]


def _searched(definition: Definition, kinds: tuple[str, ...]) -> bool:
    seen, pending = {id(definition.tree)}, [definition]
    while pending:
        one = pending.pop()
        for part in parts(one.tree):
            if isinstance(part, tree.Register) and part.kind in kinds:
                return True
            if isinstance(part, tree.Name):
                found = one.scope.find(part.path[0])
                called = found.names[part.path[0]] if found else None
                if isinstance(called, Definition) and id(called.tree) not in seen:
                    seen.add(id(called.tree))
                    pending.append(called)
    return False


def parts(node: object) -> Iterator[object]:
    """A syntax tree and everything in it."""
    yield node
    if isinstance(node, tuple):
        for item in node:
            yield from parts(item)
    elif isinstance(node, tree.Tree):
        for field in dataclasses.fields(node):
            if field.name not in ("span", "name_span"):
                yield from parts(getattr(node, field.name))
