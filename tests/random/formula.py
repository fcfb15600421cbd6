"""Formulas of a model's own `op`s: each as text of the language and as a Python function."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .writer import Formula, Writer

Environment = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Term:
    """A text in brackets where it needs them, and what it computes from the names in it."""

    text: str
    value: Callable[[Environment], Any]


def formula(w: Writer) -> tuple[tuple[str, str], Callable[[str, str, str], str], Formula, bool]:
    """(formals, body), how to write a use of it, the function, and whether it has steps."""
    names, formals = ["u"], ["u"]
    if w.chance(35):
        names.append("v")
        formals.append("v")
    ports = len(names)
    slope = w.pick([0.3, 0.7, 1.3])
    if w.chance(50):
        names.append("a")
        formals.append(f"a = {slope}")
    maker = _Terms(w, names)
    body = maker.term(w.whole(1, 3))
    unmet = [n for n in names if n not in re.findall(r"\w+", body.text)]
    mention = [Term(n, lambda e, n=n: e[n]) for n in unmet]  # type: ignore[misc]
    for extra in mention:
        body = _joined(body, "+", extra)

    def function(*values: Any, a: Any = slope) -> Any:
        return body.value({"a": a, **dict(zip("uv", values, strict=False))}) + np.zeros_like(
            values[0]
        )

    def use(name: str, first: str, second: str) -> str:
        given = w.pick(["", f"a = {w.decimal(0.2, 1.5)}"]) if "a" in names else ""
        if ports == 2:
            other = second if w.chance(70) else "0.6"
            pair = f"{first}, {other}"
            if w.chance(30) and other != "0.6":
                return f"({pair}) -> {name}({given})" if given else f"({pair}) -> {name}"
            return f"{name}({pair}{', ' * bool(given)}{given})"
        if w.chance(50):
            return f"{first} -> {name}({given})" if given else f"{first} -> {name}"
        return f"{name}({first}{', ' * bool(given)}{given})"

    return (f"({', '.join(formals)})", body.text), use, function, maker.jumpy


def _joined(a: Term, symbol: str, b: Term) -> Term:
    operations: dict[str, Callable[[Any, Any], Any]] = {
        "+": np.add, "-": np.subtract, "*": np.multiply,
    }  # fmt: skip
    run = operations[symbol]
    return Term(f"({a.text} {symbol} {b.text})", lambda e: run(a.value(e), b.value(e)))


def _called(name: str, run: Callable[[Any], Any], a: Term) -> Term:
    return Term(f"{name}({a.text})", lambda e: run(a.value(e)))


class _Terms:
    def __init__(self, w: Writer, names: list[str]) -> None:
        self.w, self.names = w, names
        self.jumpy = False

    def term(self, depth: int) -> Term:
        """A random expression that stays tame and is smooth but for bends."""
        if depth == 0:
            return self._leaf()
        a, b = self.term(depth - 1), self.term(depth - 1)
        makers: list[Callable[[Term, Term], Term]] = [
            lambda a, b: _joined(a, "+", b),
            lambda a, b: _joined(a, "-", b),
            lambda a, b: _joined(_called("tanh", np.tanh, a), "*", b),
            lambda a, _: _called("tanh", np.tanh, a),
            lambda a, _: _called("sigmoid", lambda v: 1 / (1 + np.exp(-v)), a),
            lambda a, _: Term(f"exp(-abs({a.text}))", lambda e: np.exp(-np.abs(a.value(e)))),
            lambda a, b: Term(
                f"({a.text} / (1 + {b.text} ^ 2))",
                lambda e: a.value(e) / (1 + np.square(b.value(e))),
            ),
            lambda a, b: Term(
                f"max({a.text}, {b.text})", lambda e: np.maximum(a.value(e), b.value(e))
            ),
            lambda a, _: Term(
                f"sqrt(1 + {a.text} ^ 2)", lambda e: np.sqrt(1 + np.square(a.value(e)))
            ),
            lambda a, _: Term(f"log(1 + abs({a.text}))", lambda e: np.log1p(np.abs(a.value(e)))),
            lambda a, _: Term(f"(-{a.text})", lambda e: np.negative(a.value(e))),
            self._bend,
            self._step,
        ]
        return self.w.pick(makers)(a, b)

    def _leaf(self) -> Term:
        if self.w.chance(20):
            number = self.w.pick([2, 0.5, 3, 1.25])
            return Term(str(number), lambda _: number)
        name = self.w.pick(self.names)
        return Term(name, lambda e: e[name])

    def _moving(self, a: Term) -> Term:
        """What a choice depends on is not a constant, as `v` is where a number is given for it."""
        if re.search(r"\bu\b", a.text):
            return a
        return _joined(a, "+", Term("u", lambda e: e["u"]))

    def _bend(self, a: Term, _: Term) -> Term:
        a = self._moving(a)

        def value(e: Environment) -> Any:
            v = a.value(e)
            return np.where(np.greater(v, 0), v, 0.4 * np.asarray(v))

        return Term(f"(if {a.text} > 0 {{ {a.text} }} else {{ 0.4 * {a.text} }})", value)

    def _step(self, a: Term, b: Term) -> Term:
        self.jumpy, a = True, self._moving(a)
        return Term(
            f"(if {a.text} < 0.37 {{ {b.text} }} else {{ {a.text} }})",
            lambda e: np.where(np.less(a.value(e), 0.37), b.value(e), a.value(e)),
        )
