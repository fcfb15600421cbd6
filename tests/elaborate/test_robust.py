"""Odd, huge and hostile models: diagnostics or a network, never anything else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import graphdl as gdl
from graphdl.elaborate.functions import builtins
from graphdl.elaborate.library import prelude_trees
from graphdl.errors import DataError, ModelError, UsageError, render


def outcome(text: str) -> str:
    """`fine`, or the codes of what is wrong; the texts must render."""
    found = gdl.check(text)
    for diagnostic in found:
        said = render(diagnostic)
        assert "prelude/" not in said, said
        assert "object at 0x" not in said, said
        assert diagnostic.primary or diagnostic.code == "E0502", said
    errors = [d.code for d in found if d.is_error]
    if not errors:
        try:
            gdl.compile(text)
        except (ModelError, UsageError, DataError) as error:
            return (
                getattr(error, "diagnostics", [error])[0].code
                if isinstance(error, ModelError)
                else "usage"
            )
    return " ".join(errors) or "fine"


def odd_models() -> list[tuple[str, str]]:
    """Text and outcome of each model of the file; a line of five # is a heading."""
    text = (Path(__file__).parent / "odd_models.txt").read_text("utf-8")
    parts = re.split(r"^=== (.*)\n", re.sub(r"^#####.*\n", "", text, flags=re.M), flags=re.M)
    return list(zip(parts[2::2], parts[1::2], strict=True))


@pytest.mark.parametrize(
    ("text", "wanted"), [pytest.param(t, w, id=t[:60].replace("\n", "; ")) for t, w in odd_models()]
)
@pytest.mark.filterwarnings("ignore::graphdl.ModelWarning")
def test_odd_models(text: str, wanted: str) -> None:
    assert outcome(text) == wanted


VALUES = [
    "x", "(x, x)", "[x]", "i", "x > 0", "3", "0", "-1", "2.5", "true", '"a"', "[1, 2]", "[]",
    "1..3", "relu", "linear(3)", "batch", "same", "normal(1)", "u", "T", "[x, [1]]", "10 ^ 30", "s",
]  # fmt: skip
OPERATORS = ["+", "-", "*", "/", "//", "%", "^", "@", "==", "<", "and", "or", ".."]
SECOND = ["x", "2", "relu"]
CALLED = sorted(
    {*builtins()}
    | {getattr(st, "name", "") for model in prelude_trees() for st in model.statements}
)


def told(lines: Iterator[str]) -> None:
    """Each line is fine or told; forty stand in a file, since a wrong one is set aside."""
    for block in chunks(lines):
        body = "\n".join(f"a{number} = {line}" for number, line in enumerate(block))
        outcome(f"{HEAD}{body}\noutput y = x + t")


def chunks(lines: Iterator[str]) -> Iterator[tuple[str, ...]]:
    while block := tuple(itertools.islice(lines, 40)):
        yield block


HEAD = "input x[T, 4]\ninput i: int(5)\ninput u\ninput s\nz[T, D] = x\nt = i + s + D\n"


@pytest.mark.parametrize("name", CALLED)
def test_every_definition_takes_anything_without_a_traceback(name: str) -> None:
    """Called and piped, with one argument and two of any kind."""
    pairs = list(itertools.product(VALUES, [None, *SECOND]))
    both = [one if two is None else f"{one}, {two}" for one, two in pairs]
    told(f"{name}({arguments})" for arguments in both)
    told(f"x -> {name}({arguments})" for arguments in both)
    told(f"{value} -> {name}" for value in VALUES)
    told(f"x -> scan {{ {name}({one}) }}" for one in VALUES)


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_takes_anything_without_a_traceback(operator: str) -> None:
    pairs = list(itertools.product(VALUES, VALUES[::3]))
    told(f"({left}) {operator} ({right})" for left, right in pairs)
    told(f"if ({one}) {operator} ({two}) {{ {two} }} else {{ {one} }}" for one, two in pairs)


@pytest.mark.parametrize("depth", [10, 60, 200])
def test_deep_nesting(depth: int) -> None:
    nested = "(" * depth + "x" + " + 1)" * depth
    assert outcome(f"input x[3]\noutput y = {nested}") in ("fine", "E0113", "E0312")
    calls = "tanh(" * depth + "x" + ")" * depth
    assert outcome(f"input x[3]\noutput y = {calls}") in ("fine", "E0113", "E0312")
    chains = "x -> (" + "relu -> (" * depth + "tanh" + ")" * (depth + 1)
    assert outcome(f"input x[3]\noutput y = {chains}") in ("fine", "E0113", "E0312")
    blocks = "\n".join(f"block x -> f{i}() {{ x -> f{i + 1} }}" for i in range(depth))
    text = f"{blocks}\nblock x -> f{depth}() {{ x -> relu }}\ninput x[3]\noutput y = x -> f0"
    assert outcome(text) == ("fine" if depth < 40 else "E0312")
    layers = "\n".join(f"layer f{i + 1} = f{i}" for i in range(depth))
    text = f"layer f0 = relu\n{layers}\ninput x[3]\noutput y = x -> f{depth}"
    assert outcome(text) in ("fine", "E0312")


def test_long_files() -> None:
    lines = ["input x[3]", "h0 = x"] + [f"h{i + 1} = h{i} + 1" for i in range(3000)]
    assert outcome("\n".join([*lines, "output y = h3000"])) == "fine"
    total = " + ".join(["x"] * 3000)
    assert outcome(f"input x[3]\noutput y = {total}") == "E0113"  # bound by the syntax
    chain = " -> ".join(["x"] + ["tanh"] * 3000)
    assert outcome(f"input x[3]\noutput y = {chain}") == "fine"
