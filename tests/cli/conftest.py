"""Two ways to the command: in this process, and as the installed program."""

from __future__ import annotations

import importlib
import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

Invoke = Callable[..., Result]
Installed = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def graphdl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """`graphdl("check", "digits")` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GRAPHDL_DEBUG", raising=False)
    main: Any = importlib.import_module("graphdl.cli").main

    def invoke(*arguments: str, **more: Any) -> Result:
        return CliRunner().invoke(main, [str(a) for a in arguments], **more)

    return invoke


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    """The console script that installation made, run in an empty folder."""
    program = Path(sysconfig.get_path("scripts")) / "graphdl"
    if not program.exists():
        pytest.skip("graphdl is not installed in this environment")

    def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "GRAPHDL_DEBUG": "", **more.pop("env", {})}
        more.setdefault("cwd", tmp_path)
        return subprocess.run(
            [program, *map(str, arguments)],
            text=True,
            capture_output=True,
            env=environment,
            check=False,
            **more,
        )

    return run
