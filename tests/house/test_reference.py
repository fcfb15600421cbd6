"""The language reference names everything there is, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from graphdl.data.registry import READERS
from graphdl.elaborate.functions import builtins
from graphdl.elaborate.library import prelude_trees
from graphdl.engine.schedule import SCHEDULES
from graphdl.engine.settings import CHECKS
from graphdl.syntax import tree

REFERENCE = (Path(__file__).parents[2] / "docs" / "language.md").read_text("utf-8")


def section(title: str) -> str:
    return REFERENCE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def code(text: str) -> set[str]:
    """Names in the first code of each table row: `sgd adam`, `steps([5], 0.1)`, ..."""
    cells = re.findall(r"^\| ([^|]*) \| ([^|]*) \|", text, flags=re.M)
    inside = " ".join(" ".join(re.findall(r"`([^`]*)`", " ".join(cell))) for cell in cells)
    return set(re.findall(r"[a-z_][a-z_0-9]*", inside))


def test_every_prelude_definition_and_function_is_listed() -> None:
    defined = {
        statement.name
        for model in prelude_trees()
        for statement in model.statements
        if isinstance(statement, tree.Op | tree.Block)
    }
    assert (defined | set(builtins())) - code(section("The prelude")) == set()


def test_no_definition_is_listed_that_does_not_exist() -> None:
    listed = code(section("The prelude")) - {"a", "s", "x", "axis", "path"}
    defined = {s.name for m in prelude_trees() for s in m.statements if hasattr(s, "name")}
    assert listed - defined - set(builtins()) == set()


def test_every_setting_schedule_and_reader_is_described() -> None:
    assert set(CHECKS) - code(section("The train block")) == set()
    assert set(SCHEDULES) - code(section("The train block")) == set()
    assert set(READERS) - code(section("Data sets")) == set()
