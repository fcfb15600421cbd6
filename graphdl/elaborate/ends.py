"""`input` and `target`: the ends of a model, declared with shape and kind or found out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ModelError, did_you_mean
from ..graph import Shaped
from ..program import Dim, Kind, Size
from ..syntax import tree
from .scope import Scope
from .statements import claim
from .values import Unknown, describe

if TYPE_CHECKING:
    from .tracer import Tracer

LARGEST = 2**31


def run_tensor(t: Tracer, st: tree.Tensor, scope: Scope) -> None:
    """`input x[1, 28, 28]`, `target y: int(10)`; a shape that is not written is found later."""
    claim(scope, st.name, st.name_span)
    kind, classes, pad = _element(t, st, scope)
    found = t.resolved.get(st.name)
    if st.shape is not None:
        shape = tuple(_dimension(t, e, scope) for e in st.shape)
        if pad is not None and not any(isinstance(d, Size) for d in shape[:1]):
            raise ModelError.at(
                st.name_span,
                "E0210",
                f"`{st.name}` has padding but no length that varies",
                hint=f"write `{st.role} {st.name}[T]: ...`, or leave `pad` out",
            )
        value: Any = t.fed(st.name, Shaped(shape, kind, classes, pad=pad))
        if pad is not None:
            with t.located(st.name_span, []):
                t.padding.declare(shape[0], st.name, value.value, pad)
    elif kind == "int":
        value = t.fed(st.name, Shaped((), kind, classes))
    elif found is not None:
        value = t.fed(st.name, found)
    else:
        value = Unknown(st.name)
    value = t.add_node(st.name, st.role, st.name, st.name_span, value, doc=st.doc)
    t.bind_value(st.name, value, scope, st.name_span)


def _element(t: Tracer, st: tree.Tensor, scope: Scope) -> tuple[Kind, int | None, int | None]:
    """Kind, number of classes and id of the padding, as written behind the colon."""
    if st.type is None:
        return "float", None, None
    name = st.type if isinstance(st.type, tree.Name) else st.type.target
    arguments = st.type.arguments if isinstance(st.type, tree.Call) else ()
    if str(name) not in ("int", "float") or (str(name) == "float" and arguments):
        raise ModelError.at(
            st.type.span,
            "E0210",
            f"`{name}` is not a kind of value",
            hint="write `int(10)` for class numbers 0 to 9, or nothing for floats",
        )
    if str(name) == "float":
        return "float", None, None
    named = {a.name: a for a in arguments if a.name is not None}
    if len(arguments) - len(named) != 1 or not named.keys() <= {"pad"}:
        raise ModelError.at(
            st.type.span,
            "E0210",
            "`int` wants how many values there are",
            hint="write `int(10)`; where 0 fills short sequences up, `int(10, pad = 0)`",
        )
    classes = _whole(t, arguments[0], scope, 1, LARGEST)
    if "pad" not in named:
        return "int", classes, None
    return "int", classes, _whole(t, named["pad"], scope, 0, classes - 1)


def _whole(t: Tracer, argument: tree.Argument, scope: Scope, least: int, most: int) -> int:
    value = t.evaluate(argument.value, scope)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        wants = f"from {least}" if most == LARGEST else f"in {least}..{most}"
        what = "`pad`" if argument.name else "`int`"
        hint = "it is one of the numbers" if argument.name else "write `int(10)` for 0 to 9"
        raise ModelError.at(
            argument.span,
            "E0210",
            f"{what} wants a whole number {wants}, got {describe(value)}",
            hint=hint,
        )
    return value


def _dimension(t: Tracer, e: tree.Expression, scope: Scope) -> Dim:
    if isinstance(e, tree.Name) and len(e.path) == 1 and scope.find(e.path[0]) is None:
        name = e.path[0]
        if name[0].isupper():
            size = Size.named(name if name != "B" else "B_")
            scope.bind(name, size)
            return size
        if scope.defined_later(name) is None:
            varies = f"a size that varies has a capital name: `{name.upper()}`"
            hints = (did_you_mean(name, scope.reachable()), varies)
            raise ModelError.at(e.span, "E0201", f"I do not know `{name}`", hint=hints)
    value = t.evaluate(e, scope)
    if isinstance(value, Size):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        message = f"a size is a whole number from 1, got {describe(value)}"
        hint = "`//` divides into whole numbers" if isinstance(value, float) else ""
        raise ModelError.at(e.span, "E0410", message, hint=hint)
    return value
