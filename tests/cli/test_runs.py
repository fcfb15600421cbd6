"""What was said when a run began is in the run: settings, data, folders, wherever it is used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import graphdl as gdl
from graphdl.engine.checkpoint import open_checkpoint

Invoke = Callable[..., Result]
MODEL = """
param hidden = 4
input  x[2]
target y: int(2)
s = x -> linear(hidden) -> tanh -> dropout(0.2) -> linear(hidden) -> tanh -> linear(2)
output p = s -> softmax
loss = s -> cross_entropy(y)
metric = s -> accuracy(y)
train {
  data = csv("points.csv", x = ["a", "b"], y = "y", validation = 20, test = 20)
  optimizer = adam(lr = cosine(0.01))
  batch = 8
  epochs = 2
}
"""
BEST, LAST = "best.safetensors", "last.safetensors"


def points(path: Path, flip: bool = False) -> None:
    """A table of 100 points with a class each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [((i * 37 % 100) / 50 - 1, (i * 61 % 100) / 50 - 1) for i in range(100)]
    lines = ["a,b,y", *(f"{a},{b},{int((a + b > 0) != flip)}" for a, b in rows)]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def made(graphdl: Invoke, tmp_path: Path) -> Invoke:
    """The command in an empty folder, beside one with a model and its data."""
    points(tmp_path / "models" / "points.csv")
    (tmp_path / "models" / "net.gdl").write_text(MODEL)
    return graphdl


def done(result: Result) -> Result:
    assert result.exit_code == 0, result.output + str(result.exception)
    return result


def everything_works(graphdl: Invoke, run: str, *more: str) -> dict[str, Any]:
    """Every command on a run's folder and on its checkpoints; the figures of the test."""
    for path in (run, f"{run}/{BEST}", f"{run}/{LAST}"):
        done(graphdl("predict", path, *more))
        done(graphdl("eval", path, *more))
        for command in ("show", "check"):
            done(graphdl(command, path))
        done(graphdl("show", path, "--stage", "backward"))
        done(graphdl("draw", path, "-o", "-"))
        done(graphdl("gradcheck", path, "--samples", "2"))
        assert gdl.load(path).evaluate()
    epochs = len(open_checkpoint(Path(run) / LAST).progress.records)  # type: ignore[union-attr]
    done(graphdl("train", "--resume", run, "-q", "--epochs", str(epochs + 1), *more))
    found: dict[str, Any] = json.loads(done(graphdl("eval", run, "--json", *more)).stdout)
    return found["metrics"]  # type: ignore[no-any-return]


SET = {
    "nothing": [],
    "optimizer": ["train.optimizer=sgd(lr = 0.1, momentum = 0.9)"],
    "rate": ["train.optimizer=rmsprop(lr = linear(0.01))"],
    "freeze": ['train.freeze=["s.linear", "s.linear#3"]'],
    "freeze by kind": ['train.freeze="s.linear*"', "train.freeze=s.linear"],
    "max_norm": ['train.max_norm={"s.linear": 1, s: 2}'],
    "accumulate": ["train.accumulate=3"],
    "parameter": ["hidden=6", "train.sampler=replacement", "train.clip=1"],
    "schedule": ["train.optimizer=adam(lr = 0.1)", "train.schedule=steps([1], 0.5)"],
    "table of rates": ["train.optimizer=adam(lr = 0.1)", "train.schedule={1: 0.5}"],
}


@pytest.mark.parametrize("name", SET)
def test_what_was_set_is_in_the_run(name: str, made: Invoke) -> None:
    settings = [w for s in SET[name][-1:] if name == "freeze by kind" for w in ("--set", s)]
    settings = settings or [w for s in SET[name] for w in ("--set", s)]
    done(made("train", "models/net.gdl", "-q", *settings))
    everything_works(made, "runs/net-1")


def test_a_run_is_used_from_any_folder(
    made: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(made("train", "models/net.gdl", "-q"))
    here = json.loads(done(made("eval", "runs/net-1", "--json")).stdout)["metrics"]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert json.loads(done(made("eval", "../runs/net-1", "--json")).stdout)["metrics"] == here
    everything_works(made, "../runs/net-1")


MOVES: dict[str, Callable[[Path], str]] = {
    "the pair": lambda p: (
        str(shutil.move(p / "models", p / "new/models"))
        and str(shutil.move(p / "runs", p / "new/runs")) + "/net-1"
    ),
    "the run alone": lambda p: str(shutil.move(p / "runs/net-1", p / "new/run")),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_run_is_used_after_a_move(
    name: str, made: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(made("train", "models/net.gdl", "-q"))
    (tmp_path / "new").mkdir()
    run = MOVES[name](tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    everything_works(made, run)


GIVEN = ["points.csv", "../there/points.csv", "{tmp}/there/points.csv"]


@pytest.mark.parametrize("path", GIVEN)
def test_a_path_that_is_set_is_looked_for_where_the_user_stands(
    path: str, made: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points(tmp_path / "there" / "points.csv", flip=True)
    monkeypatch.chdir(tmp_path / "there")
    call = f'csv("{path.format(tmp=tmp_path)}", y = "y", validation = 20, test = 20)'
    done(made("train", "../models/net.gdl", "-q", "-o", "../runs", "--set", f"train.data={call}"))
    settings = json.loads((tmp_path / "runs/net-1/settings.json").read_text())
    assert settings["data"]["arguments"] == [path.format(tmp=tmp_path)]
    here = json.loads(done(made("eval", "../runs/net-1", "--json")).stdout)["metrics"]
    monkeypatch.chdir(tmp_path / "models")  # which has a points.csv of its own
    assert json.loads(done(made("eval", "../runs/net-1", "--json")).stdout)["metrics"] == here
    assert here == settings["test"]
    everything_works(made, "../runs/net-1")


def test_data_on_the_command_line_is_looked_for_where_the_user_stands(
    made: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(made("train", "models/net.gdl", "-q", "--epochs", "15"))
    points(tmp_path / "there" / "points.csv", flip=True)
    monkeypatch.chdir(tmp_path / "there")
    for path in (p.format(tmp=tmp_path) for p in GIVEN):
        facts = json.loads(
            done(made("eval", "../runs/net-1", "--json", "--data", f'csv("{path}")')).stdout
        )
        assert facts["examples"] == 100
        assert facts["metrics"]["accuracy"] < 0.5


def test_a_data_folder_is_in_the_run(
    made: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models" / "points.csv").rename(tmp_path / "points.csv")
    (tmp_path / "sets").mkdir()
    (tmp_path / "points.csv").rename(tmp_path / "sets" / "points.csv")
    done(made("train", "models/net.gdl", "-q", "--data-dir", "sets"))
    monkeypatch.chdir(tmp_path / "models")
    everything_works(made, "../runs/net-1")


def test_the_model_of_an_earlier_version_is_found_above(made: Invoke, tmp_path: Path) -> None:
    (tmp_path / "net.gdl").write_text(MODEL)
    done(made("train", "net.gdl", "-q", "--data-dir", "models"))
    points(tmp_path / "points.csv")
    net = gdl.load("runs/net-1")
    net.places = type(net.places)()
    about = net.description()
    about.pop("places")
    net.description = lambda: about  # type: ignore[method-assign]
    net.save("runs/net-1/old.safetensors")
    assert gdl.load("runs/net-1/old.safetensors").folder == tmp_path.resolve()
    (tmp_path / "net.gdl").write_text(MODEL + "# changed\n")
    assert gdl.load("runs/net-1/old.safetensors").folder is None


def test_settings_say_what_the_last_run_used(made: Invoke) -> None:
    done(made("train", "models/net.gdl", "-q", "--set", "hidden=6"))
    first = json.loads(Path("runs/net-1/settings.json").read_text())
    assert (first["params"], first["epochs"], first["batch"]) == ({"hidden": 6}, 2, 8)
    assert first["test"] == measured(made)
    done(made("train", "--resume", "runs/net-1", "-q", "--epochs", "4", "--set", "train.batch=4"))
    second = json.loads(Path("runs/net-1/settings.json").read_text())
    assert (second["params"], second["epochs"], second["batch"]) == ({"hidden": 6}, 4, 4)
    assert second["test"] != first["test"]
    assert (
        second["test"] == json.loads(done(made("eval", "runs/net-1", "--json")).stdout)["metrics"]
    )


def measured(graphdl: Invoke) -> Any:
    return json.loads(done(graphdl("eval", "runs/net-1", "--json")).stdout)["metrics"]


REFUSED = {
    ("--set", "train.optimizer=sgd(lr = 0.1)"): "cannot resume with `sgd`",
    ("--set", 'train.load="x.npz"'): "`load` starts a run",
    ("--seed", "5"): "cannot resume with another `seed`",
    ("--dtype", "float64"): "the run is in float32",
    ("-o", "other"): "stays in its folder",
    ("--set", "hidden=3"): "its own model and parameters",
    ("--set", "train.epohcs=3"): "did you mean `epochs`?",
}


@pytest.mark.parametrize("change", REFUSED)
def test_what_cannot_change_is_refused(change: tuple[str, str], made: Invoke) -> None:
    done(made("train", "models/net.gdl", "-q"))
    before = Path("runs/net-1", LAST).read_bytes()
    result = made("train", "--resume", "runs/net-1", "-q", *change)
    assert result.exit_code == 2
    assert REFUSED[change] in result.stderr
    assert Path("runs/net-1", LAST).read_bytes() == before


CHANGED = [
    ["train.optimizer=adam(lr = 1e-9)"],
    ["train.lr=1e-9"],
]


@pytest.mark.parametrize("changes", CHANGED)
def test_what_is_changed_on_resuming_counts(changes: list[str], made: Invoke) -> None:
    done(made("train", "models/net.gdl", "-q"))
    before = gdl.load(f"runs/net-1/{LAST}")
    settings = [w for change in changes for w in ("--set", change)]
    done(made("train", "--resume", "runs/net-1", "-q", "--epochs", "3", *settings))
    after = gdl.load(f"runs/net-1/{LAST}")
    assert all(abs(before[n] - after[n]).max() < 1e-6 for n in before)


def test_more_may_be_frozen_on_resuming_but_nothing_unfrozen(made: Invoke) -> None:
    resume = ["train", "--resume", "runs/net-1", "-q", "--epochs"]
    done(made("train", "models/net.gdl", "-q"))
    before = gdl.load(f"runs/net-1/{LAST}")
    done(made(*resume, "3", "--set", "train.freeze=[s.linear]"))
    after = gdl.load(f"runs/net-1/{LAST}")
    stayed = {n for n in before if (before[n] == after[n]).all()}
    assert stayed == {"s.linear.weight", "s.linear.bias"}
    result = made(*resume, "4", "--set", "train.freeze=[]")
    assert result.exit_code == 4
    assert (
        "is not in the checkpoint; was the optimizer changed, or a weight frozen" in result.stderr
    )


def test_eval_says_which_checkpoint_it_takes(made: Invoke) -> None:
    done(made("train", "models/net.gdl", "-q"))
    assert "runs/net-1/best.safetensors: " in done(made("eval", "runs/net-1")).stderr
    Path("runs/net-1", BEST).unlink()
    assert "runs/net-1/last.safetensors: " in done(made("predict", "runs/net-1")).stderr
    assert "last.safetensors" not in done(made("eval", f"runs/net-1/{LAST}")).stderr


def test_the_best_checkpoint_is_of_its_epoch(made: Invoke) -> None:
    more = ["--set", "train.optimizer=sgd(lr = 300)", "--epochs", "6"]
    done(made("train", "models/net.gdl", "-q", *more))
    best, last = (open_checkpoint(Path("runs/net-1", name)) for name in (BEST, LAST))
    steps = -(-60 // 8)
    assert best.record["epoch"] < 6
    assert (best.steps, best.draws) == (steps * best.record["epoch"],) * 2
    assert (last.steps, last.draws) == (steps * 6,) * 2


def test_training_a_run_anew_says_what_to_type(made: Invoke) -> None:
    done(made("train", "models/net.gdl", "-q"))
    result = made("train", "runs/net-1")
    assert result.exit_code == 2
    assert "go on with `graphdl train --resume runs/net-1`" in result.stderr
    assert made("gradcheck", "runs/net-1", "--set", "hidden=3").exit_code == 2
