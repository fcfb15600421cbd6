"""A constant outside of a model's file: one reading for `--set` and for texts from Python."""

from __future__ import annotations

from typing import Any

from ..errors import Source
from ..graph import Graph, Named
from ..syntax import parse_expression
from .library import library_scope
from .settings import setting_value
from .tracer import Tracer
from .values import Fact


def written_constant(source: Source, named: bool = True) -> Any:
    """What a text says, read as in a `train` block: numbers, texts, lists, tables, calls.

    `named` says whether a name alone is a call without arguments; otherwise it is a text.

    Raises ModelError for what cannot be read, ValueError for what is no constant.
    """
    e = parse_expression(source)
    t = Tracer(Graph(source), {}, training=False)
    try:
        value = setting_value(t, e, library_scope(t))
    except (Fact, ArithmeticError, TypeError) as error:
        raise ValueError(str(error)) from None
    return _plain(value, named)


def _plain(value: Any, named: bool) -> Any:
    match value:
        case Named() if named or not (value.arguments or value.keywords):
            return value if named else value.name
        case bool() | int() | float() | str():
            return value
        case list() | tuple():
            return type(value)(_plain(item, named) for item in value)
        case dict():
            return {key: _plain(item, named) for key, item in value.items()}
    raise ValueError("this is no constant")
