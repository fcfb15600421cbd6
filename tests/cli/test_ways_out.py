"""Help is light, every failure is a sentence and an exit code, never a traceback."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import Result

from graphdl.errors import DataError, DivergedError, GdlError, ModelError, UsageError

HEAVY = ("numpy", "lark", "networkx", "rich", "graphviz", "pooch", "safetensors")
LOADED = """
import sys
from graphdl.cli import main
try:
    main({arguments})
finally:
    print("LOADED", *sorted({{m.partition(".")[0] for m in sys.modules}}))
"""
COMMANDS = ["check", "show", "draw", "gradcheck", "train", "eval", "predict", "data", "version"]


@pytest.mark.parametrize(
    "arguments", [["--help"], [], ["version"], *([c, "--help"] for c in COMMANDS)]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", LOADED.format(arguments=arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    loaded = run.stdout.rpartition("LOADED")[2].split()
    assert [name for name in HEAVY if name in loaded] == []


def test_help_lists_every_command(graphdl: Callable[..., Result]) -> None:
    text = graphdl("--help").output
    assert [c for c in COMMANDS if f"\n  {c} " not in text] == []
    assert "130 Ctrl-C" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chekc"], "no command `chekc`; did you mean `check`?"),
        (["zzz"], "no command `zzz`; commands: check, show"),
        (["check", "--formt", "json"], "`check` has no option `--formt`; did you mean `--format`?"),
        (["check", "--format", "xml"], "'xml' is not one of"),
        (["check"], "give one model: FILE, or -e TEXT"),
        (["check", "digit"], "did you mean `digits`?"),
        (["check", "nosuchmodel"], "shipped models: "),
        (["check", "folder/none.gdl"], "folder/none.gdl: there is no such file"),
        (["show", "digits", "-e", "input -> relu"], "give one model"),
        (["show", "digits", "--set", "maps"], "`--set maps` is not NAME=VALUE"),
        (["show", "digits", "--set", "maps=1", "--set", "maps=2"], "`maps` is set twice"),
        (["draw", "digits", "-o", "net.jpg"], "should end in .svg"),
        (["version", "extra"], "unexpected extra argument"),
    ],
)
def test_misuse(graphdl: Callable[..., Result], arguments: list[str], said: str) -> None:
    result = graphdl(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_version(graphdl: Callable[..., Result]) -> None:
    assert graphdl("--version").output.startswith("graphdl ")
    assert json.loads(graphdl("version", "--json").output)["numpy"]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("no GPU here"), 2, "error: no GPU here\n"),
        (
            ModelError.at(None, "E0201", "I do not know a layer called `liner`"),
            3,
            "error[E0201]: I do",
        ),
        (DataError("digits.csv, line 7: no label"), 4, "error: digits.csv, line 7: no label\n"),
        (GdlError("cannot write runs/x: the disk is full"), 2, "error: cannot write runs/x"),
        (DivergedError("the loss is not finite"), 5, "error: the loss is not finite\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (
            OSError(28, "No space left on device", "runs/x"),
            2,
            "error: runs/x: no space left on device\n",
        ),
        (PermissionError(13, "Permission denied"), 2, "error: permission denied\n"),
        (MemoryError(), 2, "error: there is not enough memory"),
        (RecursionError(), 3, "error: this is nested too deeply"),
        (ZeroDivisionError("oops"), 70, "internal error: ZeroDivisionError: oops\nThis is a bug"),
        (BrokenPipeError(), 141, ""),
        (SystemExit(7), 7, ""),
    ],
)
def test_every_exception_has_its_exit(
    graphdl: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    said: str,
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    module: Any = importlib.import_module("graphdl.cli.version")
    monkeypatch.setattr(module, "command", failing)
    result = graphdl("version")
    assert result.exit_code == code
    assert result.stderr.lstrip().startswith(said)
    assert "Traceback" not in result.output
    if said:
        assert "Traceback" in graphdl("version", "--debug").output


def test_a_closed_pipe_is_quiet(installed: Callable[..., Any]) -> None:
    run = installed("--help")
    assert run.returncode == 0
    shell = f"{run.args[0]} --help | head -c 1"
    piped = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)
    assert (piped.stdout, piped.stderr) == ("U", "")


def test_python_dash_m() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "graphdl", "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("graphdl ")
