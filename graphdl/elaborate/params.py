"""`param`: what may be changed from outside, and within which bounds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..errors import Label, ModelError, did_you_mean
from ..syntax import tree
from .constants import Interval, is_number
from .scope import Scope
from .statements import claim
from .values import Builtin, Definition, Layer, describe

if TYPE_CHECKING:
    from .tracer import Tracer


def refuse_unknown(model: tree.Model, params: dict[str, Any]) -> None:
    """E0502 for a given name that the file does not declare."""
    declared = [st.name for st in model.statements if isinstance(st, tree.Param)]
    for name in params:
        if name not in declared:
            known = f"parameters: {', '.join(declared)}" if declared else "there are none"
            hints = (did_you_mean(name, declared), known)
            raise ModelError.at(None, "E0502", f"no parameter `{name}`", hint=hints)


def run_param(t: Tracer, st: tree.Param, scope: Scope, params: dict[str, Any]) -> None:
    """`param k = 5 in [3, 5]`: the default, or what was given from outside."""
    claim(scope, st.name, st.name_span)
    default = t.evaluate(st.default, scope)
    if not _is_constant(default):
        raise ModelError.at(
            st.default.span,
            "E0504",
            f"`{st.name}` must be a number, text, flag or list",
            label=f"this is {describe(default)}",
            hint=f"write `layer {st.name} = ...`" if _is_layer(default) else "",
        )
    domain = t.evaluate(st.domain, scope) if st.domain else None
    if domain is not None and not isinstance(domain, Interval | list):
        assert st.domain is not None
        raise ModelError.at(
            st.domain.span,
            "E0504",
            "what a parameter may be is a list or a range",
            hint="write `in [3, 5, 7]` or `in 1..9`",
        )
    value = _plain(params.get(st.name, default))
    if type(default) is float and type(value) is int and abs(value) <= sys.float_info.max:
        value = float(value)
    if not _same_kind(value, default):
        raise ModelError.at(
            st.name_span,
            "E0501",
            f"`{st.name}` is {_kind(default)}, got {describe(value)}",
            hint=f"for example `--set {st.name}={describe(default)}`",
        )
    if domain is not None and value not in domain:
        wanted = str(domain) if isinstance(domain, Interval) else ", ".join(map(describe, domain))
        where = "in" if isinstance(domain, Interval) else "one of"
        example = domain.low if isinstance(domain, Interval) else next(iter(domain), None)
        given = f"for example `--set {st.name}={describe(example)}`"
        assert st.domain is not None
        raise ModelError.at(
            st.name_span,
            "E0501",
            f"`{st.name}` must be {where} {wanted}, got {describe(value)}",
            hint=given if st.name in params else "change the default, or what is allowed",
            also=(Label(st.domain.span, "allowed here"),),
        )
    scope.bind(st.name, value, st.name_span)
    t.graph.params[st.name] = value


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's, tuples as lists: what scripts and sweeps give."""
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    scalar = type(value).__module__ == "numpy" and getattr(value, "shape", None) == ()
    return value.item() if scalar else value


def _is_layer(value: object) -> bool:
    return isinstance(value, Layer | Definition | Builtin)


def _is_constant(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_constant(v) for v in value)
    return isinstance(value, int | float | str | bool)


def _same_kind(value: Any, default: Any) -> bool:
    if not _is_constant(value):
        return False
    if is_number(default):
        return is_number(value) and (isinstance(default, float) or isinstance(value, int))
    return type(value) is type(default)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float):
        return "a number"
    return "a text" if isinstance(value, str) else "a list"
