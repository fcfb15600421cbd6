"""Arguments that no parameter takes by its position: the sentence, and what to type instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, Span
from ..syntax import tree
from .ownership import learns
from .values import Definition, Tensor, describe, leaves

if TYPE_CHECKING:
    from .binding import Callee

MOST_CHOICES = 8
Given = Sequence[tuple[Any, Span]]


def takes(callee: Callee) -> str:
    """The sentence that lists a callee's arguments."""
    placed = ", ".join(f.name for f in callee.formals if not f.by_name)
    named = ", ".join(f.name for f in callee.formals if f.by_name)
    if placed:
        return f"`{callee.name}` takes: {placed}" + (f"; by name only: {named}" if named else "")
    if named:
        return f"`{callee.name}` takes by name only: {named}"
    if len(callee.ports) > 1:
        *first, last = (f"`{port}`" for port in callee.ports)
        return f"`{callee.name}` takes {', '.join(first)} and {last}, and nothing else"
    return f"`{callee.name}` takes no arguments"


def refuse_surplus(
    callee: Callee, fitted: Sequence[tree.Formal], given: Given, ports: Sequence[Any]
) -> None:
    """E0202 for a value by position that no parameter is there for.

    `ports` are the tensors that were found before it. Of the prelude's parameters those that are
    true or false go by name only, so a `true` in another place is one too many as well.
    """
    flags = [i for i, (v, _) in enumerate(given) if isinstance(v, bool)]
    prelude = isinstance(callee, Definition) and callee.prelude
    wrong = flags[0] if prelude and flags else len(fitted)
    if wrong >= len(given):
        return
    if wrong == len(fitted):
        _refuse_constant(callee, given, ports)
    value, place = given[wrong]
    message = f"`{callee.name}` has too many arguments"
    if leaves(value):
        message = f"`{callee.name}` does not take another tensor"
    elif prelude and flags:
        message = f"`{callee.name}` takes no `{describe(value)}` by position"
    flow = ports[0] if ports else None
    typed = _typed(callee, fitted, given, flow) if isinstance(callee, Definition) else ""
    hints = (typed, takes(callee)) if typed else takes(callee)
    raise ModelError.at(place, "E0202", message, hint=hints)


def _refuse_constant(callee: Callee, given: Given, ports: Sequence[Any]) -> None:
    """E0307 where a constant stands in the place of a tensor that is still wanted."""
    wanted = callee.ports[len(ports) :]
    value, place = given[0]
    if not wanted or leaves(value) or any(isinstance(v, bool) for v, _ in given):
        return
    raise ModelError.at(
        place,
        "E0307",
        f"`{callee.name}` wants a tensor for `{wanted[0]}`, and this is a constant",
        label=f"this is {describe(value)}",
        hint=_chosen(given) if callee.name == "pick" and not ports else takes(callee),
    )


def _chosen(given: Given) -> str:
    """For a list of constants of which one is picked: the choice as it can be written."""
    value = given[0][0]
    numbers = isinstance(value, list) and all(isinstance(v, int | float) for v in value)
    if not numbers or not 1 < len(value) <= MOST_CHOICES:
        return "choose with `if`"
    ids = given[1][1].text if len(given) > 1 else "y"
    text = describe(value[-1])
    for i in reversed(range(len(value) - 1)):
        text = f"if {ids} == {i} {{ {describe(value[i])} }} else {{ {text} }}"
    return f"write `{text}`"


def _typed(callee: Definition, fitted: Sequence[tree.Formal], given: Given, flow: Any) -> str:
    """`write ...`, where what was meant can be told."""
    left = [f for f in callee.formals if f.by_name]
    if not fitted and isinstance(callee.tree, tree.Block) and callee.tree.kind == "rule":
        return ""  # any of its numbers may be meant
    values = list(given)
    why = ""
    flags = [(v, p) for v, p in values if isinstance(v, bool)]
    values = [(v, p) for v, p in values if not isinstance(v, bool)]
    if len(values) > len(fitted) and _finds_its_size(callee):
        values = values[1:]
        ids = isinstance(flow, Tensor) and flow.value.type.kind == "int"
        why = ": the number of ids comes from the input" if ids else ""
        why = why or f": `{callee.name}` finds the size of its input"
    keywords: list[str] = []
    for value, place in [*values[len(fitted) :], *flags]:
        left = _from(left, value)
        if not left and why:
            break
        if not left:
            return ""
        keywords.append(f"{left[0].name} = {_text(callee, value, place)}")
        left = left[1:]
    placed = [_text(callee, v, p) for v, p in values[: len(fitted)]]
    if not why and not keywords:
        return ""
    arguments = ", ".join([*placed, *keywords])
    return f"write `{callee.name}{f'({arguments})' if arguments else ''}`{why}"


def _finds_its_size(callee: Definition) -> bool:
    """Layers with weights; not those where a first size has a default, such as `linear`."""
    if not callee.prelude or not learns(callee):
        return False
    placed = [f for f in callee.formals if not f.by_name]
    return not placed or placed[0].default is None


def _from(formals: Sequence[tree.Formal], value: Any) -> list[tree.Formal]:
    """The formals from the one on that a value can be meant for, judged by its default."""
    flag = isinstance(value, bool)
    formals = list(formals)
    if flag:
        while formals and not isinstance(formals[0].default, tree.Flag):
            formals = formals[1:]
        return formals
    number = formals and isinstance(formals[0].default, tree.Number)
    return formals if number and isinstance(value, int | float) else []


def _text(callee: Definition, value: Any, place: Span) -> str:
    """An argument as it was written; one of an optimiser has no place of its own."""
    return describe(value) if place.text.startswith(callee.name) else place.text
