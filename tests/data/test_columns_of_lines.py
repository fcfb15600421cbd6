"""Sentences in columns: delimiters, quotes, headers, and what is said where they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphdl.errors import DataError

from .texts import CLASSIFIER, Files, found, rows

READ: dict[str, tuple[str, Files, dict[str, Any]]] = {
    "commas and quotes without a header": (
        'lines("a.csv", header = false, columns = ["label", "title", "text"])',
        {"a.csv": b'"1","t","x ""y"" x, z"\r\n"0","t","y\ny"\r\n'},
        {"words": [[4, 3, 5, 6], [2, 2]], "label": [1, 0]},
    ),
    "commas, two columns": (
        'lines("a.csv", header = false)',
        {"a.csv": b'1,"x, x"\n0,y\n'},
        {"words": [[3, 2], [4]], "label": [1, 0]},
    ),
    "semicolons, a byte order mark": (
        'lines("a.csv", delimiter = ";", words = "Text", label = "Label")',
        {"a.csv": b'\xef\xbb\xbfText;Label\r\n"x; x";a\r\n y;b\r\n'},
        {"words": [[3, 2], [4]], "label": [0, 1]},
    ),
    "tabs that are asked for": (
        r'lines("a.csv", delimiter = "\t", header = false, quotes = false)',
        {"a.csv": b'0\t"x, x"\n1\ty\n'},
        {"words": [[2, 3], [4]], "label": [0, 1]},
    ),
    "quotes that are letters": (
        'lines("a.tsv", header = true, quotes = false)',
        {"a.tsv": b'label\ttext\n0\t"x \\"x"\n1\ty\n'},
        {"words": [[2, 3], [4]], "label": [0, 1]},
    ),
    "quotes between tabs": (
        'lines("a.tsv", quotes = true)',
        {"a.tsv": b'0\t"x\tx"\n1\ty\n'},
        {"words": [[2, 2], [3]], "label": [0, 1]},
    ),
    "columns of the test file beside classes": (
        'lines("a", "b", test = "c.tsv", columns = ["text", "label"])',
        {"a": b"x\n", "b": b"y\n", "c.tsv": b"x\ta\n"},
        {"words": [[2], [3]], "label": [0, 1]},
    ),
}


@pytest.mark.parametrize(("data", "files", "expected"), READ.values(), ids=READ)
def test_read(data: str, files: Files, expected: dict[str, Any], tmp_path: Path) -> None:
    split = found(CLASSIFIER, data, files, tmp_path).train
    assert {name: rows(split.fields[name]) for name in expected} == expected


REFUSED: dict[str, tuple[str, Files, str]] = {
    "three cells between commas": (
        'lines("a.csv", header = false)',
        {"a.csv": b"1,x,y\n"},
        "line 1: 3 cells between `,`; name them",
    ),
    "a header between semicolons": (
        'lines("a.csv")',
        {"a.csv": b"text;label\nx;1\n"},
        'line 1: the header is one cell, `text;label`: write `delimiter = ";"`',
    ),
    "a header between tabs": (
        'lines("a.csv")',
        {"a.csv": b"text\tlabel\nx\t1\n"},
        r'write `delimiter = "\t"`',
    ),
    "a header that names twice": (
        'lines("a.csv")',
        {"a.csv": b"text,text\nx,1\n"},
        "line 1: the header does not give each column a name of its own",
    ),
    "names and a header": (
        'lines("a.csv", columns = ["label", "text"])',
        {"a.csv": b"1,x\n"},
        "a.csv: `columns` names the columns, and the header does so too: write `header = false`",
    ),
    "quotes behind a backslash": (
        'lines("a.tsv", header = true)',
        {"a.tsv": b'label\ttext\n1\t"x \\"y\\" x"\n'},
        "line 2: the quotes do not match: one inside of a cell in quotes is written twice",
    ),
    "a quote that never ends": (
        'lines("a.csv")',
        {"a.csv": b'label,text\n1,"x\n' + b"1,y\n" * 40_000},
        "a cell of more than 131,072 characters: is a quote not closed? Where quotes are letters",
    ),
    "columns of classes": (
        'lines("a", "b", header = true)',
        {"a": b"x\n", "b": b"y\n"},
        "`header` is of one file with columns; of 2 files each is a class",
    ),
    "numbered classes": (
        'lines("a", "b", numbered = true)',
        {"a": b"x\n", "b": b"y\n"},
        "`numbered` is of one file with columns; of 2 files each is a class",
    ),
    "numbered columns": (
        'lines("a", numbered = true, columns = ["id", "text"])',
        {"a": b"1,x\n"},
        "`columns` says how columns are written, and `numbered` files have none",
    ),
}


@pytest.mark.parametrize(("data", "files", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(data: str, files: Files, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        found(CLASSIFIER, data, files, tmp_path)
    assert says in str(caught.value)
