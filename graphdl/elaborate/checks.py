"""`check condition : "sentence {with} facts" hint "what to type"`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import Diagnostic, Label, ModelError, Source
from ..syntax import parse_expression, tree
from .scope import Scope
from .values import Fact, UnknownShape, describe

if TYPE_CHECKING:
    from .tracer import Tracer

CODE = re.compile(r"^([EW]\d{4}): ")


def run_check(t: Tracer, st: tree.Check, scope: Scope) -> None:
    """Evaluate the condition; a false one is an error, or a warning when its code says so.

    In the prelude a sentence may begin with its code, and end with `; words for the caret`.
    """
    try:
        condition = t.evaluate(st.condition, scope)
    except UnknownShape:
        return  # checked again once the shape is found
    except (Fact, ModelError) as error:
        if _needs_a_run(error):
            return
        raise
    if not isinstance(condition, bool) and t.depth and t.called:
        raise Fact("E0307", f"`{t.called[0]}` cannot work with an argument of this kind")
    if not isinstance(condition, bool):
        raise ModelError.at(
            st.condition.span,
            "E0307",
            "a check wants true or false",
            label=f"this is {describe(condition)}",
        )
    if condition:
        return
    message = filled(t, st.message.value, scope)
    hint = filled(t, st.hint.value, scope) if st.hint else ""
    if t.depth:
        _in_prelude(t, message, hint)
    else:
        raise ModelError.at(st.condition.span, "E0503", message, label="this is false", hint=hint)


def _needs_a_run(error: Fact | ModelError) -> bool:
    """True when a size is known only when running: nothing to say yet."""
    codes = [error.code] if isinstance(error, Fact) else [d.code for d in error.diagnostics]
    return codes == ["E0408"]


def _in_prelude(t: Tracer, message: str, hint: str) -> None:
    code, label = "E0401", ""
    found = CODE.match(message)
    if found:
        code, message = found[1], message[found.end() :]
    message, _, label = message.partition("; ")
    if code.startswith("E"):
        raise Fact(code, message, hint, label)
    primary = Label(t.node_span) if t.node_span else None
    t.graph.warnings.append(Diagnostic(code, message, primary, (), (), (hint,) if hint else ()))


def filled(t: Tracer, text: str, scope: Scope) -> str:
    """The sentence with each `{expression}` replaced by its value."""

    def value(found: re.Match[str]) -> str:
        try:
            expression = parse_expression(Source("<check>", found[1]))
            result = t.evaluate(expression, scope)
        except (ModelError, Fact, UnknownShape):
            return found[0]
        return result if isinstance(result, str) else describe(result)

    return re.sub(r"\{([^{}]+)\}", value, text)
