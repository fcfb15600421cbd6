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
    kind, classes = _element(t, st, scope)
    found = t.resolved.get(st.name)
    if st.shape is not None:
        shape = tuple(_dimension(t, e, scope) for e in st.shape)
        value: Any = t.fed(st.name, Shaped(shape, kind, classes))
    elif kind == "int":
        value = t.fed(st.name, Shaped((), kind, classes))
    elif found is not None:
        value = t.fed(st.name, found)
    else:
        value = Unknown(st.name)
    value = t.add_node(st.name, st.role, st.name, st.name_span, value, doc=st.doc)
    t.bind_value(st.name, value, scope, st.name_span)


def _element(t: Tracer, st: tree.Tensor, scope: Scope) -> tuple[Kind, int | None]:
    if st.type is None:
        return "float", None
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
        return "float", None
    if len(arguments) != 1 or arguments[0].name is not None:
        raise ModelError.at(
            st.type.span, "E0210", "`int` wants how many values there are", hint="write `int(10)`"
        )
    classes = t.evaluate(arguments[0].value, scope)
    if isinstance(classes, bool) or not isinstance(classes, int) or not 1 <= classes <= LARGEST:
        raise ModelError.at(
            arguments[0].span,
            "E0210",
            f"`int` wants a whole number from 1, got {describe(classes)}",
            hint="write `int(10)` for class numbers 0 to 9",
        )
    return "int", classes


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
