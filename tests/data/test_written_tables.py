"""Tables that version 0.1.0 was trained on are read as it did, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

import graphdl as gdl
from graphdl.data import Trained
from graphdl.graph.model import Named
from graphdl.network.judging import settings_of_run

WRITTEN = Path(__file__).parent / "written_by_0.1.0"
PLACE = ", by place: the checkpoint is of version 0.1.0 and knows no names of columns"

# A checkpoint, the file to measure it on (or its own), the loss that 0.1.0 finds, what is said.
RUNS: dict[str, tuple[str, str | None, float, list[str]]] = {
    "the last column was the label": (
        "guessed",
        None,
        0.5144596,
        [
            f"x [2] <- u, v (2 columns of points.csv){PLACE}",
            f"target y <- kind: no, yes{PLACE}",
        ],
    ),
    "the target was a feature": (
        "leaking",
        None,
        0.82868838,
        [
            f"x [2] <- price, u (2 columns of prices.csv){PLACE}",
            "target price [1] <- price (a column of prices.csv)",
            "unused: v",
        ],
    ),
    "the model wrote names": (
        "mapped",
        None,
        0.40964407,
        ["x [2] <- v, u (2 columns of points.csv)", "target y <- kind: no, yes"],
    ),
    "names hold for other files": (
        "mapped",
        "swapped.csv",
        0.40964407,
        ["x [2] <- v, u (2 columns of swapped.csv)", "target y <- kind: no, yes"],
    ),
}


@pytest.mark.parametrize("case", RUNS)
def test_a_checkpoint_without_names_measures_the_same(case: str) -> None:
    name, file, loss, lines = RUNS[case]
    net = gdl.load(WRITTEN / f"{name}.safetensors")
    source = settings_of_run(net).data if file is None else Named("csv", (file,))
    told: list[str] = []
    found = net.dataset(data=source, data_dir=WRITTEN, report=told.append)
    assert told == lines
    assert net.evaluate(found)["loss"] == pytest.approx(loss, rel=1e-5)


def test_a_run_that_goes_on_knows_its_columns_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    path.write_bytes((WRITTEN / "guessed.safetensors").read_bytes())
    net = gdl.load(path)
    told: list[str] = []
    net.fit(resume=path, epochs=4, data_dir=WRITTEN, report=told.append)
    assert told[0].endswith(PLACE)
    net.save(tmp_path / "new.safetensors")
    again = gdl.load(tmp_path / "new.safetensors")
    assert again.trained == Trained({"x": ("u", "v"), "y": ("kind",)})
    told.clear()
    again.dataset(data=Named("csv", ("swapped.csv",)), data_dir=WRITTEN, report=told.append)
    assert told == ["x [2] <- u, v (2 columns of swapped.csv)", "target y <- kind: no, yes"]
