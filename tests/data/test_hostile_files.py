"""Broken and hostile files: one sentence with the file and the place, never a traceback."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphdl.data import bind, read, stream
from graphdl.errors import DataError
from graphdl.graph.model import Shaped

Failure = Callable[..., str]

EITHER = (
    "write `header = false` if the first line is an example, `header = true` if it names the "
    "columns"
)
ENCODING = ': write `encoding = "cp1252"`, or what it is'
CSV: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "FILE: is empty, a header and rows are needed"),
    "header only": (b"a,b\n", "FILE: holds a header and no rows"),
    "ragged short": (b"a,b\n1,2\n3\n", "FILE: line 3: 1 cell, but there are 2 columns"),
    "ragged long": (b"a,b\n1,2,3\n", "FILE: line 2: 3 cells, but there are 2 columns"),
    "no header": (
        b"1,2\n3,4\n",
        f"FILE: line 1: there is no header, only numbers: {EITHER}",
    ),
    "a number in the header": (
        b"5.1,3.5,setosa\n4.9,3.0,setosa\n",
        f"FILE: line 1: `5.1` is a number, no name of a column: {EITHER}",
    ),
    "a year in the header": (
        b"country,2019\nFrance,1\n",
        f"FILE: line 1: `2019` is a number, no name of a column: {EITHER}",
    ),
    "missing in the header": (
        b"NA,?,setosa\n4.9,3.0,setosa\n",
        f"FILE: line 1: `NA` is how a missing value is written, no name of a column: {EITHER}",
    ),
    "texts that come again": (
        b"red,small\nblue,large\nred,large\n",
        f"FILE: line 1: is this a header? `red` stands in line 3 as well: {EITHER}",
    ),
    "texts and empty names": (
        b",,setosa\n1,2,setosa\n",
        f"FILE: line 1: is this a header? `setosa` stands in line 2 as well: {EITHER}",
    ),
    "two files in one": (
        b"a,kind\n1,x\na,kind\n2,y\n",
        f"FILE: line 3: says the same as the header: {EITHER}",
    ),
    "semicolons": (
        b"a;b\n0,5;1\n",
        'FILE: line 1: is one cell, `a;b`: write `delimiter = ";"`',
    ),
    "tabs": (
        b"a\tb\n1\t2\n",
        'FILE: line 1: is one cell, `a\\tb`: write `delimiter = "\\t"`',
    ),
    "commas at the end of some rows": (
        b"a,b\n1,2,\n3,4\n",
        "FILE: line 3: 2 cells, but the first row has 3",
    ),
    "a row shifted by one": (
        b"a,b\n1,2,\n3,4,5\n",
        "FILE: line 3: 3 cells, but the first row has 3, the last of them empty",
    ),
    "open quote": (b'a,b\n1,"2\n3,4\n', "FILE: line 3: the quotes do not match"),
    "quote inside": (b'a,b\n1,"2"3\n', "FILE: line 2: the quotes do not match"),
    "carriage return": (
        b"a,b\n1\r2,3\n",
        "FILE: line 2: a carriage return in the middle of the line",
    ),
    "huge cell": (
        b"a,b\n1," + b"x" * 200_000 + b"\n",
        "FILE: line 2: a cell of more than 131,072 characters",
    ),
    "latin text": (b"a,b\n1,caf\xe9\n", f"FILE: line 2: byte 6, 0xe9, is not UTF-8 text{ENCODING}"),
    "binary": (bytes(range(256)), f"FILE: line 2: byte 118, 0x80, is not UTF-8 text{ENCODING}"),
    "wide letters": ("a,b\n1,2\n".encode("utf-16"), "FILE: is UTF-16 text: save it as UTF-8"),
    "a spreadsheet": (
        b"PK\x03\x04\n1,2\n",
        "FILE: is a zip archive, as spreadsheets are too: unpack it, or save it as CSV",
    ),
    "cut gzip": (
        gzip.compress(b"a,b\n" + b"0,1\n2,3\n5,8\n13,21\n34,55\n", mtime=0)[:-12],
        "FILE: the gzip data is cut off after byte 22, unpacked",
    ),
}

# Faults of single cells: of column `a` where a model reads it as a number, of `b` as a class.
CELLS: dict[str, tuple[bytes, str]] = {
    "empty": (b"a,b\n1,2\n,4\n", "FILE: line 3, column `a`: is empty, and `a` reads it"),
    "first of all": (
        b"a,b\nNA,2\n1,4\n",
        "FILE: line 2, column `a`: a number is missing, there is `NA`, and `a` reads it",
    ),
    "empty text": (b"a,b\n1,x\n3,\n", "FILE: line 3, column `b`: is empty, and `b` reads it"),
    "not a number": (
        b"a,b\n1,2\n1x,4\n",
        "FILE: line 3, column `a`: `1x` is not a finite number, and `a` reads it",
    ),
    "nan": (
        b"a,b\r\n1,2\r\nnan,4\r\n",
        "FILE: line 3, column `a`: a number is missing, there is `nan`, and `a` reads it",
    ),
    "infinite": (
        b"a,b\n-inf,1\n",
        "FILE: line 2, column `a`: `-inf` is not a finite number, and `a` reads it",
    ),
    "overflow": (
        b"a,b\n1e999,1\n",
        "FILE: line 2, column `a`: `1e999` is not a finite number, and `a` reads it",
    ),
    "underscore": (
        b"a,b\n1,2\n1_0,3\n",
        "FILE: line 3, column `a`: `1_0` is not a finite number, and `a` reads it",
    ),
    "unreadable": (
        b"a,b\n1,2\n\x1b[2J,3\n",
        "FILE: line 3, column `a`: `\\x1b[2J` is not a finite number, and `a` reads it",
    ),
    "nothing but missing": (
        b"a,b\n?,1\n,1\n",
        "FILE: column `a`: is empty in every row, and `a` reads it",
    ),
    "same name twice": (
        b"a,b,a\n1,2,3\n",
        "FILE: 2 columns are called `a`: write `column1` or `column3`, and `a` reads it",
    ),
    "far behind": (
        b"a,b\n" + b"1,2\n" * 70_000 + b"2;0,2\n",
        "FILE: line 70002, column `a`: `2;0` is not a finite number, and `a` reads it",
    ),
}

LIBSVM: dict[str, tuple[bytes, str]] = {
    "empty": (b"\n# nothing\n", "FILE: is empty, lines of `label index:value ...` are needed"),
    "label": (b"1 1:2\nyes 1:2\n", "FILE: line 2: the label `yes` is not a number"),
    "several labels": (
        b"0,2 1:0.5\n",
        (
            "FILE: line 1: the label `0,2` is not a number: it names several classes, and one is "
            "read; give such labels as an array of 0 and 1"
        ),
    ),
    "label nan": (b"nan 1:2\n", "FILE: line 1: the label `nan` is not a number"),
    "no colon": (b"1 1:2 3\n", "FILE: line 1: `3` is not `index:value`"),
    "no index": (b"1 :2\n", "FILE: line 1: `:2` is not `index:value`"),
    "negative index": (b"1 -1:2\n", "FILE: line 1: `-1:2` is not `index:value`"),
    "no value": (b"1 1:\n", "FILE: line 1: `1:` is not `index:value`"),
    "qid": (
        b"1 qid:3 1:2\n",
        "FILE: line 1: `qid:3` says what is ranked together, which no loss here reads: remove it",
    ),
    "infinite": (b"1 1:2\n1 2:inf\n", "FILE: line 2: `2:inf` is not a finite number"),
    "index 0": (
        b"1 0:2\n",
        "FILE: line 1: index 0, but indices count from 1: write `libsvm(..., base = 0)`",
    ),
    "descending": (
        b"1 2:1 1:1\n",
        "FILE: line 1: index 1 stands after 2, but indices rise: sort them in each line",
    ),
    "twice": (b"1 2:1 2:1\n", "FILE: line 1: index 2 stands there twice"),
    "huge index": (
        b"1 99999999999999999999:1\n",
        (
            "FILE: line 1: index 99999999999999999999 is too large: one row would need more than "
            "2 GB of memory, the limit: GRAPHDL_MEMORY=4GB allows more"
        ),
    ),
    "wide table": (
        b"1 250000000:1\n-1 1:1\n",
        (
            "FILE: 2 rows of 250,000,000 features: reading on would take more than 2 GB of memory, "
            "the limit: GRAPHDL_MEMORY=4GB allows more"
        ),
    ),
}


@pytest.mark.parametrize("name", CSV)
def test_csv(name: str, tmp_path: Path, failure: Failure) -> None:
    content, message = CSV[name]
    assert failure("csv", tmp_path / "t.csv", content) == message


@pytest.mark.parametrize("name", CELLS)
def test_cells_that_a_model_reads(name: str, tmp_path: Path) -> None:
    content, message = CELLS[name]
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    data, b = read("csv", str(path)), {"b": Shaped((), "int", 9)}
    with pytest.raises(DataError) as caught:
        bind(data, {"a": Shaped(())}, b)
    assert str(caught.value).replace(str(path), "FILE") == message
    if "`b` reads" not in message:
        # What nothing reads may be anything.
        assert bind(data, b, {}).fields == ("b",)


def test_a_row_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,x\n,\n")
    data = read("csv", str(tmp_path / "t.csv"))
    with pytest.raises(DataError, match=r"line 3, column `a`: is empty, and `a` reads it"):
        bind(data, {"a": Shaped(())}, {"b": Shaped((), "int", 9)})


@pytest.mark.parametrize("name", LIBSVM)
def test_libsvm(name: str, tmp_path: Path, failure: Failure) -> None:
    content, message = LIBSVM[name]
    assert failure("libsvm", tmp_path / "t.txt", content) == message


def test_libsvm_index_above_the_written_width(tmp_path: Path, failure: Failure) -> None:
    found = failure("libsvm", tmp_path / "t", b"1 3:1\n", width=2)
    assert found == "FILE: line 1: index 3 is beyond width = 2"


def test_columns_of_two_tables_go_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b,c\n1,2,3\n")
    (tmp_path / "b.csv").write_bytes(b"d,b,a\n6,5,4\n")
    found = read("csv", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))
    assert found.test is not None
    assert {name: values.tolist() for name, values in found.test.fields.items()} == {
        "a": [4],
        "b": [5],
    }
    for name, file in (("c", "b.csv"), ("d", "a.csv")):
        with pytest.raises(DataError) as caught:
            bind(found, {name: Shaped(())}, {})
        assert str(caught.value) == (
            f"{tmp_path / file}: has no column `{name}`, and `{name}` reads it"
        )


def idx(magic: int, *sizes: int) -> bytes:
    return struct.pack(f">{1 + len(sizes)}I", magic, *sizes)


IMAGES = idx(2051, 2, 2, 2) + bytes(8)
LABELS = idx(2049, 2) + bytes([3, 9])

IDX: dict[str, tuple[bytes, bytes, str]] = {
    "swapped": (
        LABELS,
        IMAGES,
        (
            "IMAGES: byte 0: the magic number is 2049, a file of images has 2051; "
            "it is a file of labels"
        ),
    ),
    "other magic": (
        b"\x89PNG" + bytes(20),
        LABELS,
        "IMAGES: byte 0: the magic number is 2303741511, a file of images has 2051",
    ),
    "empty": (
        b"",
        LABELS,
        "IMAGES: byte 0: 4 bytes of magic number should follow, the file can hold 0 at most",
    ),
    "cut in the sizes": (
        IMAGES[:10],
        LABELS,
        "IMAGES: byte 4: 12 bytes of sizes should follow, the file can hold 6 at most",
    ),
    "cut in the images": (
        IMAGES[:-3],
        LABELS,
        "IMAGES: byte 16: 8 bytes of images should follow, the file can hold 5 at most",
    ),
    "huge sizes": (
        idx(2051, *[0xFFFFFFFF] * 3) + bytes(8),
        LABELS,
        (
            "IMAGES: byte 16: 79,228,162,458,924,105,385,300,197,375 bytes of images should "
            "follow, the file can hold 8 at most"
        ),
    ),
    "no images": (
        idx(2051, 0, 28, 28),
        LABELS,
        "IMAGES: byte 4: the sizes are 0 x 28 x 28, there is nothing in it",
    ),
    "more follows": (
        IMAGES + b"!",
        LABELS,
        "IMAGES: byte 24: the data should end here, but more follows",
    ),
    "gzip cut off": (
        gzip.compress(IMAGES, mtime=0)[:-10],
        LABELS,
        "IMAGES: the gzip data is cut off after byte 16, unpacked",
    ),
    "gzip damaged": (
        gzip.compress(IMAGES, mtime=0)[:-8] + bytes(8),
        LABELS,
        "IMAGES: the gzip data is damaged after byte 24, unpacked",
    ),
    "gzip with less inside": (
        gzip.compress(IMAGES[:-3], mtime=0),
        LABELS,
        "IMAGES: ends at byte 21, in the middle of the images: 3 more bytes should follow",
    ),
    "gzip bomb in the header": (
        gzip.compress(idx(2051, 1 << 16, 1 << 10, 1 << 10), mtime=0),
        LABELS,
        (
            "IMAGES: byte 16: 68,719,476,736 bytes of images should follow, "
            "the file can hold HELD at most"
        ),
    ),
    "gzip bomb after the end": (
        gzip.compress(IMAGES + bytes(50_000_000), mtime=0),
        LABELS,
        "IMAGES: byte 24: the data should end here, but more follows",
    ),
    "fewer labels": (
        IMAGES,
        idx(2049, 1) + b"\1",
        "LABELS: has 1 labels for the 2 images of train-images-idx3-ubyte",
    ),
    "label too large": (
        IMAGES,
        idx(2049, 2) + bytes([3, 10]),
        "LABELS, row 1: the label is 10, not 0..9",
    ),
}


@pytest.mark.parametrize("name", IDX)
def test_idx(name: str, tmp_path: Path) -> None:
    images, labels, message = IDX[name]
    paths = {
        "IMAGES": tmp_path / "train-images-idx3-ubyte",
        "LABELS": tmp_path / "train-labels-idx1-ubyte",
    }
    paths["IMAGES"].write_bytes(images)
    paths["LABELS"].write_bytes(labels)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(IMAGES)
    (tmp_path / "t10k-labels.idx1-ubyte.gz").write_bytes(gzip.compress(LABELS))
    with pytest.raises(DataError) as caught:
        read("mnist", str(tmp_path))
    held = f"{len(images) * stream.PACKING - 16:,}"
    for word, path in paths.items():
        message = message.replace(word, str(path), 1)
    assert str(caught.value) == message.replace("HELD", held)


def test_mnist_folder_that_lacks_a_file(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(IMAGES)
    with pytest.raises(DataError) as caught:
        read("mnist", str(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}: lacks train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, "
        "t10k-labels-idx1-ubyte.gz"
    )


def test_a_line_of_numbers_is_bounded(
    tmp_path: Path, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LINE", 1)
    found = failure("libsvm", tmp_path / "t.gz", gzip.compress(b"#\n" * 100))
    assert found == "FILE: line 1: longer than 1 bytes"


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n")
    monkeypatch.setattr(os, "open", refuse)  # a superuser may open anything
    with pytest.raises(DataError) as caught:
        read("csv", str(tmp_path / "t.csv"))
    assert str(caught.value) == f"{tmp_path / 't.csv'}: cannot be read: permission denied"
