"""The calls of many steps worked out from those of a few: between steps, arrays only move on.

Binding a kernel takes far longer than copying its calls; a long sequence has thousands of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from ..primitive import Array, Call


def extrapolated(
    xp: ModuleType, first: list[Call], second: list[Call], last: list[Call], count: int
) -> Iterator[Call] | None:
    """The calls of `count` steps, given those of three; None where they do not move evenly."""
    if not len(first) == len(second) == len(last):
        return None
    recipes = []
    for calls in zip(first, second, last, strict=True):
        found = _recipe(xp, calls, count)
        if found is None:
            return None
        recipes.append(found)
    return (recipe.at(step) for step in range(count) for recipe in recipes)


@dataclass(frozen=True, slots=True)
class _Recipe:
    """One call at every step.

    parts     what stays; `moving` has the array of all steps for the parts that move, by place
    method    name of the function, where it is a method of the first part
    names     names of the last parts, which are keyword arguments
    """

    call: Call
    parts: list[Any]
    moving: list[tuple[int, Array]]
    method: str
    names: tuple[str, ...]

    def at(self, step: int) -> Call:
        """The call at one step."""
        if not self.moving:
            return self.call
        parts = self.parts.copy()
        for place, whole in self.moving:
            parts[place] = whole[step, ...]
        function, *rest = parts
        if self.method:
            function = getattr(function, self.method)
        split = len(rest) - len(self.names)
        return partial(function, *rest[:split], **dict(zip(self.names, rest[split:], strict=True)))


def _recipe(xp: ModuleType, calls: Sequence[Call], count: int) -> _Recipe | None:
    if not all(isinstance(call, partial) for call in calls):
        return None
    given: list[Any] = list(calls)
    names = [tuple(call.keywords) for call in given]
    methods = [_method(xp, call.func) for call in given]
    if len(set(names)) > 1 or len(set(methods)) > 1:
        return None
    rows = [_parts(call, method) for call, method in zip(given, methods, strict=True)]
    if len({len(row) for row in rows}) > 1:
        return None
    moving: list[tuple[int, Array]] = []
    for place, parts in enumerate(zip(*rows, strict=True)):
        if not isinstance(parts[0], xp.ndarray):
            if any(part is not parts[0] and part != parts[0] for part in parts):
                return None
            continue
        delta = _delta(parts, count)
        if delta is None:
            return None
        if delta:
            moving.append((place, _all_steps(xp, parts[0], delta, count)))
    return _Recipe(calls[0], rows[0], moving, methods[0], names[0])


def _method(xp: ModuleType, function: Any) -> str:
    """The name of a method of an array; other functions are parts themselves."""
    owner = getattr(function, "__self__", None)
    return str(function.__name__) if isinstance(owner, xp.ndarray) else ""


def _parts(call: Any, method: str) -> list[Any]:
    function = call.func.__self__ if method else call.func
    return [function, *call.args, *call.keywords.values()]


def _delta(arrays: Sequence[Array], count: int) -> int | None:
    """By how many bytes an array moves from step to step; None if not evenly."""
    first, second, last = arrays
    for other in (second, last):
        if (other.shape, other.strides, other.dtype) != (first.shape, first.strides, first.dtype):
            return None
    places = [array.__array_interface__["data"][0] for array in arrays]
    delta: int = places[1] - places[0]
    return delta if places[2] - places[0] == delta * (count - 1) else None


def _all_steps(xp: ModuleType, array: Array, delta: int, count: int) -> Array:
    shape, strides = (count, *array.shape), (delta, *array.strides)
    return xp.lib.stride_tricks.as_strided(array, shape, strides)
