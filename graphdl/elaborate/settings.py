"""The `train` block: constants, and calls that name an optimiser, a data set or a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import Label, ModelError
from ..graph import Initial, Named, Setting
from ..syntax import tree
from .scope import Scope
from .values import Axis, Builtin, Definition, Layer, Tensor, Unknown, describe

if TYPE_CHECKING:
    from .tracer import Tracer


def run_train(t: Tracer, st: tree.Train, scope: Scope) -> None:
    """Collect the settings; what they may be is the engine's to say."""
    for setting in st.settings:
        if setting.name in t.graph.settings:
            first = t.graph.settings[setting.name].span
            raise ModelError.at(
                setting.name_span,
                "E0203",
                f"`{setting.name}` is set twice",
                hint="delete one",
                also=(Label(first, "first here"),) if first else (),
            )
        value = setting_value(t, setting.value, scope)
        t.graph.settings[setting.name] = Setting(value, setting.span)


def setting_value(t: Tracer, e: tree.Expression, scope: Scope) -> Any:
    """A constant; names and calls that are not the model's own become `Named`."""
    match e:
        case tree.ListOf():
            return [setting_value(t, item, scope) for item in e.items]
        case tree.TupleOf():
            return tuple(setting_value(t, item, scope) for item in e.items)
        case tree.Table():
            return {
                _key(setting_value(t, key, scope), key): setting_value(t, value, scope)
                for key, value in e.entries
            }
        case tree.Call():
            return _named(t, e, scope)
        case tree.Name():
            return _name(t, e, scope)
    value = t.evaluate(e, scope)
    if found := _no_constant(value):
        message = f"a setting is a constant, this is {describe(found[0])}"
        raise ModelError.at(e.span, "E0307", message)
    return value


def _no_constant(value: Any) -> list[Any]:
    """What belongs to the model and not to its training, in lists too."""
    if isinstance(value, list | tuple):
        return [found for item in value for found in _no_constant(item)]
    model = Definition | Builtin | Layer | Tensor | Unknown | Axis | Initial
    return [value] if isinstance(value, model) else []


def _key(value: Any, e: tree.Expression) -> Any:
    """A name or a constant, by which something is looked up."""
    if isinstance(value, Named) and not (value.arguments or value.keywords):
        return value.name
    if isinstance(value, str | int | float):
        return value
    raise ModelError.at(
        e.span,
        "E0702",
        "before the colon stands a number or a name",
        hint="write a table such as `{5: 0.5}`",
    )


def _name(t: Tracer, e: tree.Name, scope: Scope) -> Any:
    found = scope.find(e.path[0])
    # In a setting `training` is that part of a run, not whether the model is being trained.
    if found is None or len(e.path) > 1 or str(e) == "training":
        return Named(str(e), span=e.span)
    value = t.evaluate(e, scope)
    if isinstance(value, Definition | Builtin | Layer | Tensor | Unknown | Axis):
        return Named(str(e), span=e.span)
    return value


def _named(t: Tracer, e: tree.Call, scope: Scope) -> Named:
    positional, keywords = [], {}
    for argument in e.arguments:
        value = setting_value(t, argument.value, scope)
        if argument.name is None:
            positional.append(value)
        elif argument.name in keywords:
            message = f"`{argument.name}` is given twice"
            raise ModelError.at(argument.span, "E0205", message, hint="delete one")
        else:
            keywords[argument.name] = value
    return Named(str(e.target), tuple(positional), keywords, e.span)
