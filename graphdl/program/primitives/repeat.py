"""The calls of many steps worked out from those of a few: between steps, arrays only move on.

Binding a kernel takes far longer than copying its calls; a long sequence has thousands of them,
and so has a group of pointwise operations that goes over many blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from ..primitive import Array, Call

# So many steps are bound one by one; of longer sequences, three are.
BOUND = 4


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
    columns = [recipe.calls(count) for recipe in recipes]
    return (call for step in zip(*columns, strict=True) for call in step)


@dataclass(frozen=True, slots=True)
class _Recipe:
    """One call at every step.

    parts     what stays; `moving` has the arrays of all steps for the parts that move, by place
    method    name of the function, where it is a method of the first part
    names     names of the last parts, which are keyword arguments
    """

    call: Call
    parts: list[Any]
    moving: dict[int, list[Array]]
    method: str
    names: tuple[str, ...]

    def calls(self, count: int) -> list[Call]:
        """The call at each of `count` steps."""
        if not self.moving:
            return [self.call] * count
        columns = [self.moving.get(n, [part] * count) for n, part in enumerate(self.parts)]
        functions, *rest = columns
        if self.method:
            functions = [getattr(owner, self.method) for owner in functions]
        if not self.names:  # as are nearly all
            return list(map(partial, functions, *rest))
        split = len(rest) - len(self.names)
        return [
            partial(function, *args[:split], **dict(zip(self.names, args[split:], strict=True)))
            for function, *args in zip(functions, *rest, strict=True)
        ]


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
    moving: dict[int, list[Array]] = {}
    for place, parts in enumerate(zip(*rows, strict=True)):
        if not isinstance(parts[0], xp.ndarray):
            if any(part is not parts[0] and part != parts[0] for part in parts):
                return None
            continue
        delta = _delta(parts, count)
        if delta is None:
            return None
        if delta:
            moving[place] = _all_steps(xp, parts[0], delta, count)
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


def _all_steps(xp: ModuleType, array: Array, delta: int, count: int) -> list[Array]:
    shape, strides = (count, *array.shape), (delta, *array.strides)
    whole = xp.lib.stride_tricks.as_strided(array, shape, strides)
    # Of one axis, the entries would be numbers and not arrays.
    return list(whole) if array.ndim else [whole[step, ...] for step in range(count)]
