"""Word vectors as GloVe and word2vec write them: a word and its numbers on each line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .labels import number
from .stream import Stream, opened, shown


@dataclass(frozen=True, slots=True)
class WordVectors:
    """What a file has for some words.

    ids     of the words found
    rows    their vectors [found, width]
    passed  lines whose word is not UTF-8 or holds a blank: no word of a text is like that
    """

    ids: NDArray[np.int64]
    rows: NDArray[np.float32]
    passed: int


def read_vectors(path: Path, wanted: Mapping[str, int], width: int) -> WordVectors:
    """The vectors of the words in `wanted`, which gives the id of each.

    The last `width` cells of a line are the vector, what stands before them is the word. The file
    is read once and only wanted rows are kept. Of a word that is there twice the first counts.

    Raises DataError with file and line for a row that is not a word and `width` numbers.
    """
    found: dict[int, NDArray[np.float32]] = {}
    passed, first = 0, True
    with opened(path) as stream:
        for line, raw in stream.raw_lines():
            cells = raw.removeprefix(b"\xef\xbb\xbf" if line == 1 else b"").rsplit(None, width)
            if not cells:
                continue
            if line == 1 and (stated := _stated(raw)):
                _check_width(stream, 1, stated, width, first=True)
                continue
            if first or len(cells) <= width:
                _check_width(stream, line, _numbers(raw, first), width, first)
            first = False
            word = _word(cells[0])
            passed += word is None
            place = None if word is None else wanted.get(word)
            if place is not None and place not in found:
                found[place] = _row(stream, line, cells)
    ids = np.array(list(found), np.int64)
    rows = np.array(list(found.values()), np.float32).reshape(len(ids), width)
    return WordVectors(ids, rows, passed)


def _stated(raw: bytes) -> int:
    """The width that word2vec writes at the top behind the number of words, or 0."""
    cells = raw.split()
    whole = len(cells) == 2 and all(len(cell) < 10 and cell.isdigit() for cell in cells)
    return int(cells[1]) if whole else 0


def _numbers(raw: bytes, first: bool) -> int:
    """How many cells stand behind the word; in the first line, how many numbers end it."""
    cells = raw.split()[1:]
    if first:
        for count, cell in enumerate(reversed(cells)):
            if number(cell.decode("latin-1")) is None:
                return count if count else len(cells)
    return len(cells)


def _word(cell: bytes) -> str | None:
    try:
        word = cell.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return word if word.split() == [word] else None


def _check_width(stream: Stream, line: int, found: int, width: int, first: bool) -> None:
    if found != width:
        hint = f"write `embedding({found})`" if first and found else "is the line cut off?"
        stream.fail(f"line {line}: {found} numbers to a word, the model wants {width}; {hint}")


def _row(stream: Stream, line: int, cells: list[bytes]) -> NDArray[np.float32]:
    values = [number(cell.decode("latin-1")) for cell in cells[1:]]
    with np.errstate(over="ignore"):
        row = np.array([np.nan if value is None else value for value in values], np.float32)
    if not np.isfinite(row).all():
        word = cells[0].decode("utf-8")
        stream.fail(f"line {line}: the vector of `{shown(word)}` has a cell that is no number")
    return row
