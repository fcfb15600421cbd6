"""Tables with many columns, many rows and many texts are read in bounds, or refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from graphdl.data import cells, read, rows, table
from graphdl.errors import DataError

from .tables import NUMBER, loaded, vector


def test_columns_by_the_thousand(tmp_path: Path) -> None:
    count = 20_000
    header = ",".join(["y", *(f"c{place}" for place in range(count))])
    row = ",".join(str(place) for place in range(count + 1))
    told: list[str] = []
    found = loaded(tmp_path, f"{header}\n{row}\n", vector(count), {"y": NUMBER}, report=told.append)
    assert told[0] == f"x [{count}] <- c0, c1, c2, c3, c4, c5, ... ({count} columns of t.csv)"
    assert found.train.fields["x"].tolist() == [list(range(1, count + 1))]


def test_each_cell_is_looked_at_once_a_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    add = cells.Cells.add

    def counted(self: cells.Cells, lines: list[int], some: list[str], decimal: str) -> None:
        looked.append(len(some))
        add(self, lines, some, decimal)

    monkeypatch.setattr(cells.Cells, "add", counted)
    (tmp_path / "t.csv").write_text("a,b\n" + "1,x\n" * 100_000)
    assert len(read("csv", str(tmp_path / "t.csv")).train) == 100_000
    assert sum(looked) == 200_000
    assert len(looked) <= 2 * (1 + 200_000 // rows.CELLS)


@pytest.mark.parametrize("row", ["1,2", "x,y"])
def test_rows_are_counted_while_they_come(
    row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHDL_MEMORY", "3MB")
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(f"a,b\n{row}\n".encode() + f"{row}\n".encode() * 400_000))
    with pytest.raises(DataError, match=r"line \d+: reading on would take more than 3 MB"):
        read("csv", str(path))


def test_columns_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "COLUMNS", 3)
    (tmp_path / "t.csv").write_text("a,b,c,d\n1,2,3,4\n")
    with pytest.raises(DataError, match="line 1: 4 columns, 3 are the most"):
        read("csv", str(tmp_path / "t.csv"))


def test_texts_without_end_are_no_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "TEXTS", 2)
    path = tmp_path / "t.csv"
    path.write_text("a,b\nx,1\ny,2\nz,3\n")
    found = read("csv", str(path))
    assert found.fields == ("b",)
    assert found.train.column("a").trouble == (
        f"{path}: line 4, column `a`: more than 2 different texts are no classes"
    )
