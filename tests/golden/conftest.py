"""The command in this process, and the public data where a machine has it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

Run = Callable[..., Result]


@pytest.fixture
def graphdl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`graphdl("train", "digits")` in an empty folder; a command that fails fails the test."""
    monkeypatch.chdir(tmp_path)
    main: Any = importlib.import_module("graphdl.cli").main

    def run(*arguments: object) -> Result:
        result = CliRunner().invoke(main, [str(a) for a in arguments])
        assert result.exit_code == 0, result.output
        return result

    return run


@pytest.fixture
def public() -> Callable[[str], Path]:
    """A file or folder of the public data sets; the test is skipped where there is none."""

    def find(name: str) -> Path:
        folder = os.environ.get("GRAPHDL_DATA")
        if not folder:
            pytest.skip("GRAPHDL_DATA does not name a folder with the public data sets")
        path = Path(folder) / name
        if not path.exists():
            pytest.skip(f"GRAPHDL_DATA has no {name}")
        return path

    return find
