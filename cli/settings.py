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
    from graphdl.elaborate.written import written_constant

    source = Source(f"--set {name}", text)
    try:
        return written_constant(source, named)
    except ModelError as error:
        why = f"\n{error}"
    except ValueError:
        why = ""
    raise UsageError(
        f"`{name}`: `{text}` is not a constant, such as 300, true, [3, 5], "
        f'"a text" or sgd(lr = 0.1){why}'
    )
