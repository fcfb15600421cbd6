"""`--set name=value`: the text after `=` is a constant of the language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from graphdl.errors import ModelError, Source, UsageError

F = TypeVar("F", bound=Callable[..., object])

TRAIN = "train."


def takes_settings(command: F) -> F:
    """Adds `settings`: the texts of every `--set`."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set a `param` of the model, or `train.epochs=3` and the like. May be repeated.",
    )(command)


def overrides(settings: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters of the model, and settings of its `train` block, that `--set` names.

    Raises:
        UsageError: no `=`, a name given twice, or a value that is no constant.
    """
    params: dict[str, Any] = {}
    training: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        name, text = name.strip(), text.strip()
        if not equals or not name or not text:
            raise UsageError(f"`--set {setting}` is not NAME=VALUE, such as `--set hidden=300`")
        found = training if name.startswith(TRAIN) else params
        key = name.removeprefix(TRAIN)
        if key in found:
            raise UsageError(f"`{name}` is set twice")
        found[key] = constant(name, text, named=found is training)
    return params, training


def constant(name: str, text: str, named: bool = True) -> Any:
    """The value of a constant.

    Args:
        name: what it is for, as the user wrote it.
        text: such as `300`, `[3, 5]` or `adam(lr = 1e-3)`.
        named: whether a bare name is a call without arguments; otherwise it is a text.

    Raises:
        UsageError: the text is not a constant.
    """
    from graphdl.syntax import parse_expression

    try:
        value = _value(parse_expression(Source(f"--set {name}", text)), named)
    except ModelError as error:
        raise UsageError(f"`{name}`: cannot read `{text}`\n{error}") from None
    except (_NoConstantError, ArithmeticError, TypeError):
        raise UsageError(
            f"`{name}`: `{text}` is not a constant, such as 300, true, [3, 5], "
            '"a text" or sgd(lr = 0.1)'
        ) from None
    return value


class _NoConstantError(Exception):
    """An expression that needs a model to have a value."""


def _value(e: Any, named: bool) -> Any:
    from graphdl.graph import Named
    from graphdl.syntax import tree

    match e:
        case tree.Number() | tree.Text() | tree.Flag():
            return e.value
        case tree.Name():
            return Named(str(e)) if named else str(e)
        case tree.ListOf():
            return [_value(item, named) for item in e.items]
        case tree.TupleOf():
            return tuple(_value(item, named) for item in e.items)
        case tree.Table():
            return {_value(k, named): _value(v, named) for k, v in e.entries}
        case tree.Unary(operator="-"):
            return -_value(e.operand, named)
        case tree.Binary():
            return _calculated(e.operator, _value(e.left, named), _value(e.right, named))
        case tree.Call() if named:
            positional = tuple(_value(a.value, named) for a in e.arguments if a.name is None)
            keywords = {a.name: _value(a.value, named) for a in e.arguments if a.name is not None}
            return Named(str(e.target), positional, keywords)
    raise _NoConstantError


def _calculated(sign: str, left: Any, right: Any) -> Any:
    from graphdl.elaborate.constants import binary_constant
    from graphdl.elaborate.values import Fact

    try:
        value = binary_constant(sign, left, right)
    except Fact:
        raise _NoConstantError from None
    if not isinstance(value, int | float | list):
        raise _NoConstantError
    return value
