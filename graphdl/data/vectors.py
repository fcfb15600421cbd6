"""Word vectors as GloVe and word2vec write them: a word and its numbers on each line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .stream import Stream, opened, shown


def read_vectors(
    path: Path, wanted: Mapping[str, int], width: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The ids of the words that are found, and their vectors [found, width].

    The file is read once and only wanted rows are kept. Of a word that is there twice the first
    counts. Raises DataError with file and line for a row that is not a word and `width` numbers.
    """
    found: dict[int, NDArray[np.float32]] = {}
    with opened(path) as stream:
        for line, text in stream.lines():
            cells = text.rstrip().split(" ")
            if line == 1 and len(cells) == 2 and all(cell.isdecimal() for cell in cells):
                _check_width(stream, 1, int(cells[1]), width)  # word2vec says how many and how wide
                continue
            if len(cells) - 1 != width:
                _check_width(stream, line, len(cells) - 1, width)
            place = wanted.get(cells[0])
            if place is not None and place not in found:
                found[place] = _row(stream, line, cells)
    ids = np.array(list(found), np.int64)
    rows = np.array(list(found.values()), np.float32).reshape(len(ids), width)
    return ids, rows


def _check_width(stream: Stream, line: int, found: int, width: int) -> None:
    if found != width:
        hint = f"write `embedding({found})`" if line == 1 else "is the line cut off?"
        stream.fail(f"line {line}: {found} numbers to a word, the model wants {width}; {hint}")


def _row(stream: Stream, line: int, cells: list[str]) -> NDArray[np.float32]:
    try:
        row: NDArray[Any] = np.array(cells[1:], np.float32)
    except ValueError:
        row = np.array([np.nan], np.float32)
    if not np.isfinite(row).all():
        stream.fail(f"line {line}: the vector of `{shown(cells[0])}` has a cell that is no number")
    return row
