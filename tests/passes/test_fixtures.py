"""Every pass against texts: fixtures/<pass>/<case>.txt holds a program, a line `---`, the result.

The memory plan's fixtures begin with a comment `# B=4 float32` that gives the binding.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from graphdl.passes import PASSES, optimise, plan_memory
from graphdl.passes.memory_table import memory_table
from graphdl.passes.settle import settle_updates
from graphdl.program.text import read, text
from graphdl.program.verify import verify

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(FIXTURES.glob("*/*.txt"))
BY_NAME = {each.__name__: each for each in PASSES} | {"optimise": optimise}


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_result_is_as_written(case: Path) -> None:
    before, _, after = case.read_text().partition("\n---\n")
    program = verify(read(before))
    if case.parent.name == "memory":
        assert _plan(before) == after
        return
    result = verify(BY_NAME[case.parent.name](program))
    assert text(result) == after


def _plan(source: str) -> str:
    match = re.match(r"# ((?:\w+=\d+ )*)(float\d\d)\n", source)
    assert match, "the first line gives the binding"
    sizes = {name: int(number) for name, number in (s.split("=") for s in match[1].split())}
    return memory_table(plan_memory(settle_updates(read(source)), sizes, match[2]))


@pytest.mark.parametrize("name", [*BY_NAME, "memory"])
def test_every_pass_has_a_fixture(name: str) -> None:
    assert list((FIXTURES / name).glob("*.txt"))
