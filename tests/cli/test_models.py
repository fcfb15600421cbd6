"""check, show, draw and gradcheck on shipped models and on small texts."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Invoke = Callable[..., Result]
LINE = "input -> linear(2, 3) -> softmax -> nll"
WRONG = "input -> liner(2, 3)"
ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "tests" / "samples").glob("*.gdl"))


def test_check_is_fine(graphdl: Invoke) -> None:
    assert graphdl("check", "digits").stdout == "digits: fine\n"
    assert graphdl("check", "-e", LINE).stdout == "the program: fine\n"
    assert graphdl("check", "-", input=LINE).stdout == "the program: fine\n"
    assert graphdl("check", "digits", "cnn", "resnet", "-q").stdout == ""


def test_check_finds_errors_in_every_file(graphdl: Invoke) -> None:
    for name in ("a", "b"):
        Path(f"{name}.gdl").write_text(WRONG)
    result = graphdl("check", "a.gdl", "digits", "b.gdl")
    assert result.exit_code == 3
    assert result.stdout.count("error[E0201]") == 2
    assert "--> b.gdl:1:10" in result.stdout
    assert result.stdout.endswith("3 files: 2 errors\n")


def test_check_for_programs(graphdl: Invoke) -> None:
    result = graphdl("check", "-e", WRONG, "--format", "json")
    (found,) = json.loads(result.stdout)
    assert (result.exit_code, found["code"], found["line"]) == (3, "E0201", 1)
    Path("net.gdl").write_text(WRONG)
    result = graphdl("check", "net.gdl", "--format", "github")
    assert result.stdout.startswith("::error file=net.gdl,line=1,col=10,title=E0201::")
    assert graphdl("check", "digits", "--format", "json").stdout == "[]\n"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: p.write_bytes(b"input x\n\xff"), "not UTF-8"),
        (lambda p: p.mkdir(), "is a folder"),
        (lambda p: p.symlink_to("nowhere"), "no such file"),
    ],
)
def test_files_that_are_none(graphdl: Invoke, make: Callable[[Path], Any], said: str) -> None:
    make(Path("net.gdl"))
    result = graphdl("show", "net.gdl")
    assert result.exit_code == 2
    assert said in result.stderr


def test_show_holds_the_golden_counts(graphdl: Invoke) -> None:
    table = graphdl("show", "cnn").stdout
    assert "[1568]" in table
    assert "329,058" in table
    facts = json.loads(graphdl("show", "mlp", "--json").stdout)
    assert facts["total_weights"] == 199_210
    assert {n["name"] for n in facts["nodes"]} >= {"digit"}
    assert "├─ logits.conv" in graphdl("show", "cnn", "--tree").stdout


@pytest.mark.parametrize(
    ("padding", "shapes"),
    [
        ("true", ["[16, 28, 28]", "[16, 27, 27]", "[32, 27, 27]", "[32, 26, 26]", "[21632]"]),
        ("false", ["[16, 24, 24]", "[16, 23, 23]", "[32, 19, 19]", "[32, 18, 18]", "[10368]"]),
    ],
)
def test_set_changes_the_shapes(graphdl: Invoke, padding: str, shapes: list[str]) -> None:
    table = graphdl(
        "show",
        "parametrised_cnn",
        "--set",
        f"zero_padding={padding}",
        "--set",
        "stride_size=1",
        "--set",
        "conv_kernel_size=5",
        "--set",
        "pooling_kernel_size=2",
    ).stdout
    assert [shape for shape in shapes if shape not in table] == []


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        (["conv_kernel_size=12"], 3, "must be in 1..11, got 12"),
        (["conv_kernel_sise=3"], 3, "did you mean `conv_kernel_size`?"),
        (["conv_kernel_size=three(3)"], 2, "is not a constant"),
        (["conv_kernel_size=[3"], 2, "`[3` is not a constant"),
        (["conv_kernel_size=9^9999"], 2, "is not a constant"),
        (["conv_kernel_size=1/0"], 2, "is not a constant"),
    ],
)
def test_values_of_set(graphdl: Invoke, settings: list[str], code: int, said: str) -> None:
    result = graphdl("show", "parametrised_cnn", *(w for s in settings for w in ("--set", s)))
    assert result.exit_code == code
    assert said in result.stderr


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("program", 'output "loss"'),
        ("backward", "update %"),
        ("schedule", "# arena of a step with batch 32, float32:"),
    ],
)
def test_stages(graphdl: Invoke, stage: str, said: str) -> None:
    assert said in graphdl("show", "digits", "--stage", stage).stdout


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.stem)
def test_every_sample_is_shown_and_drawn(graphdl: Invoke, sample: Path) -> None:
    shown = graphdl("show", sample)
    drawn = graphdl("draw", sample, "-o", "-")
    assert (shown.exit_code, drawn.exit_code) == (0, 0), shown.output + drawn.output
    assert drawn.stdout.startswith("digraph model {")


def test_draw_writes_a_file(graphdl: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "wrote net.dot" in graphdl("draw", "digits", "-o", "net.dot").stderr
    assert Path("net.dot").read_text().startswith("digraph")
    if shutil.which("dot"):
        assert graphdl("draw", "digits").exit_code == 0
        assert Path("digits.svg").read_text().startswith("<?xml")
    result = graphdl("draw", "digits", "-o", "missing/net.dot")
    assert result.exit_code == 2
    assert "missing/net.dot: its folder does not exist\n" in result.stderr
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    result = graphdl("draw", "digits", "-o", "net.png")
    assert result.exit_code == 2
    assert "`-o net.dot` always works" in result.stderr


def test_gradcheck(graphdl: Invoke) -> None:
    result = graphdl("gradcheck", "softsign", "--samples", "3")
    assert result.exit_code == 0, result.output
    assert "central differences, eps 1e-06" in result.stdout
    facts = json.loads(graphdl("gradcheck", "-e", LINE, "--json", "--scheme", "forward").stdout)
    assert facts["ok"]
    assert {"absolute", "relative", "squares"} <= set(facts["rows"][0])


def test_a_gradient_that_fails_exits_with_one(graphdl: Invoke) -> None:
    # A step this coarse cannot meet a tolerance this fine: the sound way to see a failure.
    result = graphdl("gradcheck", "-e", LINE, "--eps", "0.5", "--tolerance", "1e-9")
    assert result.exit_code == 1
    assert "FAIL at" in result.stdout


def test_a_weight_that_was_not_checked_exits_with_one(graphdl: Invoke) -> None:
    text = "input x[2]\nweight w[2] = 0\nloss = mean(abs(w) * (x -> linear(2)))"
    result = graphdl("gradcheck", "-e", text)
    assert result.exit_code == 1
    assert "2 kinks" in result.stdout
    assert "not checked: every probe met a kink" in result.stdout
    facts = json.loads(graphdl("gradcheck", "-e", text, "--json").stdout)
    assert not facts["ok"]
    assert [facts["rows"][0][key] for key in ("verdict", "probes", "kinks", "none", "ok")] == [
        "not checked", 0, 2, 0, False]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [("digits", "--data"), ("--data", "digits"), ("digits", "--data", "digits()"),
     ("digits", "--data", "--set", "train.data=digits(limit = 9)")],
)  # fmt: skip
def test_gradcheck_on_real_data(graphdl: Invoke, arguments: tuple[str, ...]) -> None:
    result = graphdl("gradcheck", *arguments, "--samples", "1", "--batch", "2", "--set", "drop=0.5")
    assert result.exit_code == 0, result.output
    assert "[2, 1, 8, 8]" in result.stdout
    drawn = graphdl("gradcheck", "digits", "--samples", "1", "--batch", "2", "--set", "drop=0.5")
    assert drawn.stdout != result.stdout


def test_gradcheck_needs_data_where_it_is_asked_for(graphdl: Invoke) -> None:
    result = graphdl("gradcheck", "-e", LINE, "--data")
    assert result.exit_code == 4
    assert "this model names no data" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_is_a_sentence(installed: Callable[..., Any]) -> None:
    import subprocess

    program = installed("--version").args[0]
    run = subprocess.run(
        ["sh", "-c", f"{program} show digits > /dev/full"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (2, "error: no space left on device\n")
