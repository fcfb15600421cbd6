"""What well-formed files are read as."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphdl import data
from graphdl.data import READERS, Dataset, known, options, read
from graphdl.errors import DataError, ModelError
from graphdl.graph.model import Named

Fields = dict[str, Any]

TABLES: dict[str, tuple[bytes, Fields, Fields]] = {
    "numbers": (b"a,b\n1,2\n3,4\n", {}, {"a": [1, 3], "b": [2, 4]}),
    "text is sorted into classes": (
        b"kind,a\nzebra,2\nape,4\nzebra,6\n",
        {},
        {"a": [2, 4, 6], "kind": [1, 0, 1]},
    ),
    "mark, returns, quotes, spaces, blank lines": (
        b'\xef\xbb\xbfa, "b c"\r\n 1 ,"x, ""y"""\r\n\r\n2,z\r\n',
        {},
        {"a": [1, 2], "b c": [0, 1]},
    ),
    "no line end at the end": (b"a,b\n1,2", {}, {"a": [1], "b": [2]}),
    "no header": (b"1,2\n3,4\n", {"header": False}, {"column1": [1, 3], "column2": [2, 4]}),
    "numbers for names": (b"x,2019\n1,2\n", {"header": True}, {"x": [1], "2019": [2]}),
    "texts for names": (
        b"red,b\nred,x\n",
        {"header": True},
        {"red": [0], "b": [0]},
    ),
    "semicolons": (b"a;b\n1;2\n", {"delimiter": ";"}, {"a": [1], "b": [2]}),
    "tabs": (b"a\tb\n1\t2\n", {"delimiter": "\\t"}, {"a": [1], "b": [2]}),
    "decimal commas": (
        b"a;b\n0,5;1.000\n-1,5;2\n",
        {"delimiter": ";", "decimal": ","},
        {"a": [0.5, -1.5]},
    ),
    "another encoding": (
        "gr\xf6\xdfe,b\n1,2\n".encode("cp1252"),
        {"encoding": "cp1252"},
        {"gr\xf6\xdfe": [1], "b": [2]},
    ),
    "a mark and another name of UTF-8": (
        b"\xef\xbb\xbfa,b\n1,2\n",
        {"encoding": "UTF8"},
        {"a": [1], "b": [2]},
    ),
    "UTF-8 with a mark by its name": (
        b"\xef\xbb\xbfa,b\n1,2\n",
        {"encoding": "utf-8-sig"},
        {"a": [1], "b": [2]},
    ),
    "packed": (gzip.compress(b"a,b\n1,2\n"), {}, {"a": [1], "b": [2]}),
    "numbers with holes are no classes": (b"a,b\nNA,1\n2,3\n,4\n", {}, {"b": [1, 3, 4]}),
    "a number among texts": (b"a,b\n7,1\nx,2\ny,3\n", {}, {"a": [0, 1, 2], "b": [1, 2, 3]}),
    "a missing text is a class": (b"a,b\nNA,1\nx,2\ny,3\n", {}, {"a": [0, 1, 2], "b": [1, 2, 3]}),
    "a column of row names": (b",a\n5,1\n6,2\n", {}, {"column1": [5, 6], "a": [1, 2]}),
    "commas at the end": (b"a,b,\n1,2,\n3,4,\n", {}, {"a": [1, 3], "b": [2, 4]}),
    "commas at the end of rows": (b"a,b\n1,2,\n3,4,\n", {}, {"a": [1, 3], "b": [2, 4]}),
    "a comma at the end of the header": (b"a,b,\n1,2\n3,4\n", {}, {"a": [1, 3], "b": [2, 4]}),
    "a name for a place": (b"column2,\n1,2\n", {}, {"column2": [1], "column2_": [2]}),
}


@pytest.mark.parametrize("name", TABLES)
def test_csv(name: str, tmp_path: Path) -> None:
    content, settings, expected = TABLES[name]
    (tmp_path / "t.csv").write_bytes(content)
    split = read("csv", str(tmp_path / "t.csv"), **settings).train
    assert {field: v.tolist() for field, v in split.fields.items()} == expected


def test_csv_knows_its_classes_and_lines(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,kind\n1,z\n\n2,b\n")
    table = read("csv", str(tmp_path / "t.csv"))
    assert table.classes("kind") == ("b", "z")
    assert table.train.place(1) == f"{tmp_path / 't.csv'}, line 4"


def test_tabs_are_known_by_the_name_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_bytes(b"a\tb\n1\t2\n")
    assert read("csv", str(tmp_path / "t.tsv")).fields == ("a", "b")


SPARSE: dict[str, tuple[bytes, Fields, Fields, tuple[str, ...]]] = {
    "two classes": (
        b"+1 1:0.5 3:-1\n-1 2:2 # a remark\n\n-1\n",
        {},
        {"features": [[0.5, 0, -1], [0, 2, 0], [0, 0, 0]], "label": [1, 0, 0]},
        ("-1", "+1"),
    ),
    "real labels": (b"0.5 1:1\n1.5 1:2\n", {}, {"label": [0.5, 1.5]}, ()),
    "whole labels": (b"3 1:1\n7 1:2\n", {}, {"label": [3, 7]}, ()),
    "from 0": (b"1 0:1 1:3\n0 1:2\n", {"base": 0}, {"features": [[1, 3], [0, 2]]}, ()),
    "from 0, wider": (b"1 0:1\n", {"base": 0, "width": 3}, {"features": [[1, 0, 0]]}, ()),
    "given width": (b"1 1:1\n0 2:2\n", {"width": 3}, {"features": [[1, 0, 0], [0, 2, 0]]}, ()),
}


@pytest.mark.parametrize("name", SPARSE)
def test_libsvm(name: str, tmp_path: Path) -> None:
    content, settings, expected, classes = SPARSE[name]
    (tmp_path / "t").write_bytes(content)
    found = read("libsvm", str(tmp_path / "t"), **settings)
    assert {field: found.train.fields[field].tolist() for field in expected} == expected
    assert found.classes("label") == classes


def test_a_second_file_is_the_test_part(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"-1 1:1\n+1 1:2\n")
    (tmp_path / "b").write_bytes(b"+1 2:5\n")
    found = read("libsvm", str(tmp_path / "a"), str(tmp_path / "b"))
    assert found.test is not None
    assert found.test.fields["features"].tolist() == [[0, 5]]
    assert found.test.fields["label"].tolist() == [1]
    assert found.train.fields["features"].tolist() == [[1, 0], [2, 0]]


def test_npz_parts(tmp_path: Path) -> None:
    np.savez_compressed(
        tmp_path / "t.npz",
        x_train=np.asfortranarray(np.arange(6.0).reshape(3, 2)),
        x_val=np.zeros((1, 2), ">f4"),
        test_x=np.ones((2, 2)),
        y_train=np.array(["b", "a", "b"]),
        y_val=np.array(["c"]),
        test_y=np.array(["a", "a"]),
    )
    found = read("npz", str(tmp_path / "t.npz"))
    assert {part: len(split) for part, split in found.splits.items()} == {
        "train": 3,
        "validation": 1,
        "test": 2,
    }
    assert found.train.fields["x"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert found.train.fields["y"].tolist() == [1, 0, 1]
    assert found.classes("y") == ("a", "b", "c")


def test_npy_of_images_and_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.full((2, 1, 2, 2), 51, np.uint8))
    np.save(tmp_path / "y.npy", np.array([1, 0]))
    split = read("npy", str(tmp_path / "x.npy"), str(tmp_path / "y.npy")).train
    batch = split.batch(np.array([1]))
    assert batch["features"].tolist() == [[[[np.float32(0.2)] * 2] * 2]]
    assert batch["label"].tolist() == [0]
    assert split.fields["features"].dtype == np.uint8


def test_digits() -> None:
    digits = read("digits")
    assert str(digits) == (
        "digits: 1,290 train, 255 validation, 252 test; pixels [1, 8, 8], label []"
    )
    counts = {part: np.bincount(split.fields["label"]) for part, split in digits.splits.items()}
    assert np.sum(list(counts.values()), axis=0).tolist() == [
        178,
        182,
        177,
        183,
        181,
        182,
        181,
        179,
        174,
        180,
    ]
    assert counts["test"].tolist() == [25, 26, 25, 26, 25, 26, 25, 25, 24, 25]
    first = digits.train.batch(slice(0, 1), dtype="float64")["pixels"]
    assert (first[0, 0, 0] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert digits.train.place(0) == "digits, row 0"


def test_every_reader_says_what_it_does() -> None:
    assert [name for name, _ in known()] == list(READERS)
    assert all(doc and len(doc) < 100 for _, doc in known())
    assert options("csv")["delimiter"] == "what stands between cells (one character)"


BATCHES: list[tuple[Any, data.Column, str, Any]] = [
    (np.array([0, 255], np.uint8), data.Column(scale=255.0), "float32", [0.0, 1.0]),
    (np.array([0, 8], np.uint8), data.Column(scale=16.0), "float64", [0.0, 0.5]),
    (np.array([3, 4], np.uint8), data.Column(), "float32", [3, 4]),
    (np.array([0.1], np.float64), data.Column(), "float32", [np.float32(0.1)]),
    (np.array([3, 4]), data.Column(kind="float"), "float32", [3.0, 4.0]),
    (np.array([3.0, 4.0]), data.Column(kind="int"), "float32", [3, 4]),
    (np.array([True, False]), data.Column(), "float32", [True, False]),
]


@pytest.mark.parametrize(("values", "column", "dtype", "expected"), BATCHES)
def test_conversion(values: Any, column: data.Column, dtype: str, expected: Any) -> None:
    found = data.converted(values, column, dtype)
    assert found.tolist() == expected
    out = np.empty_like(found)
    assert data.converted(values, column, dtype, out) is out
    assert out.tolist() == expected


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"x": [[1], [[1, 2]]]}, "arrays: `x`: its rows differ in shape"),
        ({"x": [{}]}, "arrays: `x`, row 0: is `dict`, a number is needed"),
        ({"x": 3}, "arrays: `x` is one number, an array of examples is needed"),
        ({}, "arrays (train): there are no arrays"),
        ({"x": np.zeros((0, 2))}, "arrays (train): there are no examples"),
        (
            {"x": [1, 2], "y": [1]},
            "arrays (train): the fields differ in their number of rows: `x` 2, `y` 1",
        ),
        (
            {"x": [1, 2], "validation": {"z": [1]}},
            "arrays (validation): the fields are z; those of the training part are x",
        ),
        ({"x": [1, 2], "validation": 2}, "validation = 2 takes 2 of 2 examples"),
    ],
)
def test_arrays_that_cannot_be_used(fields: Fields, message: str) -> None:
    with pytest.raises(DataError) as caught:
        Dataset.from_arrays(**fields)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("reader", "paths", "settings", "message"),
    [
        ("minst", (), {}, "there is no data set or reader called `minst`|did you mean `mnist`?"),
        (
            "zzz",
            (),
            {},
            f"there is no data set or reader called `zzz`|there are: {', '.join(READERS)}",
        ),
        ("csv", (), {}, f"`csv` takes 1 or 2 paths, got 0|{READERS['csv'].doc}"),
        ("digits", ("x",), {}, f"`digits` takes 0 paths, got 1|{READERS['digits'].doc}"),
        ("csv", (3,), {}, "a path of `csv` is a text, got 3"),
        (
            "csv",
            (Named("t.csv"),),
            {},
            'a path of `csv` is a text, got t.csv()|write `"t.csv"`',
        ),
        (
            "t.csv",
            (),
            {},
            'there is no data set or reader called `t.csv`|write `csv("t.csv")`',
        ),
        (
            "a/b.npz",
            (),
            {},
            'there is no data set or reader called `a/b.npz`|write `npz("a/b.npz")`',
        ),
        (
            "digits",
            (),
            {"shuffle": [Named("sgd", (), {"lr": 0.1}), None]},
            "`shuffle` of `digits` must be true or false, got [sgd(lr = 0.1), nothing]",
        ),
        (
            "digits",
            (),
            {"limit": 0},
            "`limit` of `digits` must be a count, or two or three of them, got 0",
        ),
        (
            "digits",
            (),
            {"split": "half"},
            (
                "`split` of `digits` must be two or three numbers, such as [0.8, 0.1, 0.1], "
                'got "half"'
            ),
        ),
        ("digits", (), {"shuffle": 1}, "`shuffle` of `digits` must be true or false, got 1"),
        (
            "digits",
            (),
            {"limits": 3},
            (
                "`digits` has no argument `limits`|did you mean `limit`?|"
                "`digits` takes: split, validation, test, limit, shuffle, seed"
            ),
        ),
    ],
)
def test_wrong_calls(reader: str, paths: Any, settings: Fields, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        read(reader, *paths, **settings)
    (found,) = caught.value.diagnostics
    assert "|".join([found.message, *found.hints]) == message
