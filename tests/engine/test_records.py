"""Run folders, progress lines, averages and the confusion matrix."""

from __future__ import annotations

import errno
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest

from graphdl.engine.confusion import Confusion
from graphdl.engine.history import Record
from graphdl.engine.live import Live
from graphdl.engine.reporter import Lines, Quiet, duration, epoch_line, reporter_for
from graphdl.engine.run_folder import RunFolder, find_checkpoint
from graphdl.errors import DataError, GdlError, UsageError


def test_run_folders_are_numbered_and_never_shared(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "runs"
    assert [RunFolder.create(root, "cnn").path.name for _ in range(3)] == [
        "cnn-1",
        "cnn-2",
        "cnn-3",
    ]
    assert RunFolder.create(root, "cnn-1").path.name == "cnn-1-1"
    assert RunFolder.create(root, "../a b").path == root / "a_b-1"
    assert RunFolder.create(root, "").path.name == "model-1"
    (root / "cnn-3").rmdir()
    (root / "cnn-9").write_text("somebody's file")
    assert RunFolder.create(root, "cnn").path.name == "cnn-10"


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GdlError, match="cannot make a run folder in"):
        RunFolder.create(tmp_path / "file", "cnn")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(GdlError, match="no permission to write there"):
        RunFolder.create(tmp_path, "cnn")


def test_records_agree_in_both_forms_and_columns_may_come_later(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.rewrite([])
    records: list[Record] = [
        {"epoch": 1, "loss": math.nan},
        {"epoch": 2, "loss": 0.1, "note": 'a "b", c'},
    ]
    folder.append(records[0], records[:1])
    folder.append(records[1], records)
    folder.append({"epoch": 3}, [*records, {"epoch": 3}])
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines][:2] == [{"epoch": 1, "loss": None}, records[1]]
    assert (tmp_path / "metrics.csv").read_text().splitlines() == [
        "epoch,loss,note", "1,nan,", '2,0.1,"a ""b"", c"', "3,,",
    ]  # fmt: skip


def test_find_checkpoint(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "cnn-1"
    run.mkdir(parents=True)
    with pytest.raises(UsageError, match=r"holds no last\.safetensors"):
        find_checkpoint(run)
    (run / "last.safetensors").write_bytes(b"")
    assert find_checkpoint(run) == find_checkpoint(run / "last.safetensors")
    with pytest.raises(UsageError, match=r"the newest run in it is .*cnn-1"):
        find_checkpoint(tmp_path / "runs")
    with pytest.raises(UsageError, match="there is no checkpoint or run folder"):
        find_checkpoint(tmp_path / "none")


def test_lines_are_throttled() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, interval=10, clock=lambda: now[0])
    lines.start(1, 2, 0, 100, 0)
    for done in range(1, 101):
        now[0] = done / 4
        lines.batch(done, done * 8, lambda: {"loss": 0.5})
    lines.epoch({"epoch": 1, "loss": 0.5, "seconds": 25.0, "examples_per_second": 32.0}, False)
    lines.note("done")
    assert stream.getvalue().splitlines() == [
        "epoch 1/2  40/100  loss 0.5000  32/s  40.0 s left",
        "epoch 1/2  80/100  loss 0.5000  32/s  30.0 s left",
        "epoch 1/2  loss 0.5000  32/s  25.0 s",
        "done",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_and_lines() -> None:
    stream = Terminal()
    live = reporter_for(stream)
    assert isinstance(live, Live)
    live.start(1, 1, 0, 2, 0)
    live.batch(1, 8, lambda: {"loss": 0.5})
    live.note("[bold]as written[/bold]")
    live.epoch({"epoch": 1, "loss": 0.25}, True)
    live.finish()
    assert "[bold]as written[/bold]" in stream.getvalue()
    assert "loss 0.2500" in stream.getvalue()
    assert isinstance(reporter_for(io.StringIO()), Lines)


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Quiet()
    quiet.start(1, 1, 0, 1, 0)
    quiet.note("nothing")
    quiet.epoch({"epoch": 1}, True)
    quiet.finish()
    assert capsys.readouterr() == ("", "")


def test_words_for_times_and_figures() -> None:
    assert [duration(s) for s in (0.04, 59.9, 75, 7260)] == [
        "0.0 s", "59.9 s", "1 min 15 s", "2 h 01 min",
    ]  # fmt: skip
    line = epoch_line({"epoch": 1, "lr": 0.1, "loss": 1e-5, "validation_loss": 12345.0}, 9, True)
    assert line == "epoch 1/9  loss 1e-05  validation loss 1.23e+04  best"


def test_confusion_rows() -> None:
    confusion = Confusion.empty(3, ("cat", "dog", "eel"))
    confusion.add(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
    assert confusion.counts.tolist() == [[1, 0, 0], [1, 2, 0], [0, 0, 0]]
    cat, dog, eel = confusion.rows()
    assert (cat.precision, cat.recall, cat.support) == (0.5, 1.0, 1)
    assert (dog.name, dog.precision) == ("dog", 1.0)
    assert dog.recall == pytest.approx(2 / 3)
    assert math.isnan(eel.precision)
    assert eel.support == 0
    assert confusion.accuracy == 0.75


@pytest.mark.parametrize(
    ("predicted", "true", "sentence"),
    [
        ([0, 3], [0, 1], r"prediction 3 is not one of 0\.\.2"),
        ([0, 1], [0, -1], r"label -1 is not one of 0\.\.2"),
        ([0, 1], [0], "1 labels for 2 predictions"),
    ],
)
def test_confusion_refuses(predicted: list[int], true: list[int], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        Confusion.empty(3).add(np.array(predicted), np.array(true))


FOLDERS = {
    "digits": "digits-1",
    "größe": "größe-1",
    "gro\u0308\u00dfe": "größe-1",  # the same letters, as some systems write them
    "модель": "модель-1",
    "हिन्दी": "हिन्दी-1",
    "日本 語": "日本_語-1",
    "net.v2": "net.v2-1",
    "..": "model-1",
    "a/b\\c\x1b\udcff": "a_b_c-1",
    "x" * 300: "x" * 200 + "-1",
    "é" * 150: "é" * 100 + "-1",
}


@pytest.mark.parametrize("model", FOLDERS)
def test_a_folder_is_called_as_its_model(model: str, tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, model) as folder:
        assert folder.path.name == FOLDERS[model]
        assert folder.path.is_dir()
