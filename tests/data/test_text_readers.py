"""`text` and `lines`: what they read, and what they say of files they cannot read."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.data import read
from graphdl.errors import DataError, ModelError

from .texts import CLASSIFIER, LM, TAGGER, Files, found, rows

TEXT: dict[str, tuple[str, Files, dict[str, Any]]] = {
    "each line ends": (
        'text("a")',
        {"a": b"x y\nx\n"},
        {"words": [1, 2, 0, 1], "following": [2, 0, 1, 0]},  # x and <eos> twice, y once
    ),
    "without ends": (
        'text("a", eos = false)',
        {"a": b"x y\nx\n"},
        {"words": [0, 1], "following": [1, 0]},
    ),
    "letters": (
        'text("a", level = "character")',
        {"a": b"aab\n"},
        {"words": [0, 0, 2], "following": [0, 2, 1]},
    ),
    "further ahead": (
        'text("a", eos = false, following = 2)',
        {"a": b"x y z x"},
        {"words": [0, 1], "following": [2, 0]},
    ),
    "small letters": ('text("a", lower = true, eos = false)', {"a": b"x X x"}, {"words": [0, 0]}),
    "another encoding": (
        'text("a", encoding = "cp1252", eos = false)',
        {"a": b"\xe9 \xe9 b"},
        {"words": [0, 0]},
    ),
    "packed": ('text("a", eos = false)', {"a.gz": gzip.compress(b"x x y")}, {"words": [0, 0]}),
}


@pytest.mark.parametrize(("data", "files", "expected"), TEXT.values(), ids=TEXT)
def test_text(data: str, files: Files, expected: dict[str, Any], tmp_path: Path) -> None:
    split = found(LM, data, files, tmp_path).train
    assert {name: rows(split.fields[name]) for name in expected} == expected
    assert split.stream
    assert split.counted == "following"


def test_parts_of_a_text(tmp_path: Path) -> None:
    files = {"a": b"x y x y x z", "b": b"y w", "c": b"x x x"}
    data = found(LM, 'text("a", "b", "c", eos = false)', files, tmp_path)
    vocabulary = data.train.column("words").vocabulary
    assert vocabulary is not None
    assert vocabulary.words == ("<unk>", "x", "y", "z")  # w occurs in another part only
    assert data.validation is not None
    assert rows(data.validation.fields["following"]) == [0]
    assert data.test is not None
    assert rows(data.test.fields["words"]) == [1, 1]


def test_a_share_of_a_text_is_its_end(tmp_path: Path) -> None:
    files = {"a": b"x y x y x y x y z z"}
    data = found(LM, 'text("a", eos = false, validation = 0.2)', files, tmp_path)
    vocabulary = data.train.column("words").vocabulary
    assert vocabulary is not None
    assert vocabulary.words == ("<unk>", "x", "y")
    assert data.validation is not None
    assert rows(data.validation.fields["words"]) == [0]


def test_a_text_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x y x\n")
    data = read("text", str(tmp_path / "a"))
    assert rows(data.train.fields["features"]) == [0, 2, 0]
    assert rows(data.train.fields["label"]) == [2, 0, 1]


LINES: dict[str, tuple[str, Files, dict[str, Any]]] = {
    "a file for each class": (
        'lines("neg.txt", "pos.txt")',
        {"neg.txt": b"bad bad\n", "pos.txt": b"good\nbad good\n"},
        {"words": [[2, 2], [3], [2, 3]], "label": [0, 1, 1]},
    ),
    "two columns": (
        'lines("a")',
        {"a": b"pos\tx x\nneg\ty\n"},
        {"words": [[2, 2], [3]], "label": [1, 0]},
    ),
    "three columns": (
        'lines("a")',
        {"a": b"7\tneg\tx\n9\tpos\tx y\n"},
        {"words": [[2], [2, 3]], "label": [0, 1]},
    ),
    "named columns": (
        'lines("a", columns = ["text", "kind"], label = "kind")',
        {"a": b"x x\tb\ny\ta\n"},
        {"words": [[2, 2], [3]], "label": [1, 0]},
    ),
    "a table with a header": (
        'lines("a.csv", words = "said", label = "class")',
        {"a.csv": b'class,said\n1,"x, x"\n0,y\n'},
        {"words": [[3, 2], [4]], "label": [1, 0]},
    ),
    "empty lines in a table with a header": (
        'lines("a.csv")',
        {"a.csv": b"\nlabel,text\n1,x\n\n0,y\n  \n"},
        {"words": [[2], [3]], "label": [1, 0]},
    ),
    "empty lines between columns": (
        'lines("a")',
        {"a": b"\n1\tx\n\n0\ty\n \n"},
        {"words": [[2], [3]], "label": [1, 0]},
    ),
    "minus and plus": (
        'lines("a")',
        {"a": b"-1\tx\n1\tx\n"},
        {"words": [[2], [2]], "label": [0, 1]},
    ),
    "an empty sentence is one unknown word": (
        'lines("a")',
        {"a": b"0\tx\n1\t \n"},
        {"words": [[2], [1]], "label": [0, 1]},
    ),
    "cut": (
        'lines("a", longest = 2)',
        {"a": b"0\tx x x\n1\tx\n"},
        {"words": [[2, 2], [2]]},
    ),
    "letters": (
        'lines("a", level = "character")',
        {"a": b"0\tab\n1\ta\n"},
        {"words": [[2, 3], [2]]},
    ),
    "another encoding": (
        'lines("a", encoding = "cp1252")',
        {"a": b"0\t\xe9 \xe9\n1\tb\n"},
        {"words": [[2, 2], [3]]},
    ),
}


@pytest.mark.parametrize(("data", "files", "expected"), LINES.values(), ids=LINES)
def test_lines(data: str, files: Files, expected: dict[str, Any], tmp_path: Path) -> None:
    split = found(CLASSIFIER, data, files, tmp_path).train
    assert {name: rows(split.fields[name]) for name in expected} == expected


def test_other_parts_of_lines_are_files_or_shares(tmp_path: Path) -> None:
    files = {"a": b"0\tx y\n1\tx\n0\tx\n1\ty\n", "b": b"1\tx z\n"}
    data = found(CLASSIFIER, 'lines("a", test = "b", validation = 1)', files, tmp_path)
    assert {name: len(split) for name, split in data.splits.items()} == {
        "train": 3,
        "validation": 1,
        "test": 1,
    }
    assert data.test is not None
    vocabulary = data.train.column("words").vocabulary
    assert vocabulary is not None
    assert vocabulary.words[:2] == ("<pad>", "<unk>")
    assert rows(data.test.fields["words"])[0][1] == vocabulary.unknown


def test_one_tag_for_every_word(tmp_path: Path) -> None:
    files = {"a": b"the cat\tD N\nthe\tD\n"}
    data = 'lines("a", columns = ["text", "tags"], tag = "tags")'
    split = found(TAGGER, data, files, tmp_path).train
    assert rows(split.fields["words"]) == [[2, 3], [2]]
    assert rows(split.fields["tag"]) == [[0, 1], [0]]
    batch = split.batch(slice(0, 2))
    assert batch["words"].shape == batch["tag"].shape == (2, 8)
    assert split.weight(slice(0, 2)) == 3


def test_a_numbered_file_to_predict(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"5,x, y\n\n7\tz\n\n")
    split = read("lines", str(tmp_path / "a"), numbered=True).train
    assert split.numbers is not None
    assert split.numbers.tolist() == [5, 7]
    assert rows(split.fields["text"]) == [[1, 2], [3]]


def test_an_empty_line_of_sentences_alone_is_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\nx\n\ny\n")
    split = read("lines", str(tmp_path / "a")).train
    assert rows(split.fields["text"]) == [[0], [1], [0], [2]]


def test_batches_are_as_long_as_their_longest_sentence(tmp_path: Path) -> None:
    files = {"a": b"0\t" + b"x " * 11 + b"\n1\tx\n0\tx x\n"}
    split = found(CLASSIFIER, 'lines("a")', files, tmp_path).train
    assert split.batch(slice(0, 3))["words"].shape == (3, 16)
    short = split.batch(slice(1, 3))["words"]
    assert short.tolist() == [[2, *[0] * 7], [2, 2, *[0] * 6]]


REFUSED: dict[str, tuple[str, str, Files, str]] = {
    "no file": (LM, 'text("a")', {}, "the file `a` was not found"),
    "empty": (LM, 'text("a")', {"a": b""}, "there is no text in it"),
    "too short": (LM, 'text("a", eos = false)', {"a": b"x"}, "1 tokens are too few"),
    "not text": (LM, 'text("a")', {"a": b"x\n\xff\n"}, "line 2: byte 1, 0xff, is not UTF-8 text"),
    "not that text": (
        LM,
        'text("a", encoding = "ascii")',
        {"a": b"\xe9"},
        "0xe9, is not ascii text",
    ),
    "cut off": (LM, 'text("a")', {"a": gzip.compress(b"x y" * 99)[:-9]}, "cut off"),
    "outside": (LM, 'text("../a")', {}, "leaves the folders"),
    "an empty class": (
        CLASSIFIER,
        'lines("a", "b")',
        {"a": b"x\n", "b": b""},
        "is empty, so there is no example of `b`",
    ),
    "no lines": (CLASSIFIER, 'lines("a")', {"a": b""}, "a sentence on each line is needed"),
    "a missing cell": (
        CLASSIFIER,
        'lines("a")',
        {"a": b"0\tx\n1\n"},
        "line 2: 1 cell between tabs, the columns are label, text",
    ),
    "too many cells": (
        CLASSIFIER,
        'lines("a")',
        {"a": b"0\tx\ty\tz\n"},
        "line 1: 4 cells between tabs; name them",
    ),
    "no number": (
        CLASSIFIER,
        'lines("a", numbered = true)',
        {"a": b"x,y\n"},
        "line 1: does not begin with a number",
    ),
    "more classes than the model has": (
        CLASSIFIER,
        'lines("a")',
        {"a": b"x\ta\ny\ta\nz\ta\n"},
        "line 3: `label` is 2 (`z`), the model declares int(2)",
    ),
    "another class in another part": (
        CLASSIFIER,
        'lines("a", validation = "b")',
        {"a": b"pos\tx\nneg\ty\n", "b": b"neg\tx\nbad\ty\n"},
        "b, line 2: no class is called `bad`; there are: neg, pos",
    ),
    "a number for a class in another part": (
        CLASSIFIER,
        'lines("a", validation = "b")',
        {"a": b"1\tx\n2\ty\n", "b": b"0\ty\n"},
        "b, line 1: no class is called `0`; there are: 1, 2",
    ),
    "no label beside labels": (
        CLASSIFIER,
        'lines("a", test = "b", columns = ["label", "text"])',
        {"a": b"0\tx\n1\ty\n", "b": b"x\n"},
        "line 1: 1 cell between tabs, the columns are label, text",
    ),
    "a test file without labels": (
        CLASSIFIER,
        'lines("a", "c", test = "b")',
        {"a": b"x\n", "c": b"y\n", "b": b"x\n"},
        "has no `label`, which the training part has",
    ),
    "tags that are too few": (
        TAGGER,
        'lines("a", columns = ["text", "tags"], tag = "tags")',
        {"a": b"x y\tA B\nx y\tA\n"},
        "line 2: `words` has 2 steps, `tag` has 1",
    ),
    "a tag of another part only": (
        TAGGER,
        'lines("a", columns = ["text", "tags"], tag = "tags", test = "b")',
        {"a": b"x\tA\n", "b": b"x\tB\n"},
        "line 1: `B` does not occur in the training part",
    ),
}


@pytest.mark.parametrize(("model", "data", "files", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(model: str, data: str, files: Files, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        found(model, data, files, tmp_path)
    assert says in str(caught.value)


WRONG = [
    ('text("a", level = "byte")', "`level` of `text` must be word or character"),
    ('text("a", encoding = "utf-16")', "`encoding` of `text` must be the name of an encoding"),
    ('text("a", encoding = "idna")', "`encoding` of `text` must be the name of an encoding"),
    ('text("a", encoding = "rot13")', "`encoding` of `text` must be the name of an encoding"),
    ('text("a", unknown = "a b")', "`unknown` of `text` must be a text without blanks"),
    ('text("a", wrods = 0)', "did you mean `words`"),
    (
        'text("a", words = 0, following = -1)',
        "must be how many tokens ahead it reads: a whole number from 0, got -1",
    ),
    ('text("a", validation = 1.5)', "must be a count, or a share below 1, got 1.5"),
    ('lines("a", following = 3)', "`following` of `lines` must be the name of a field"),
    ('lines("a")', "put a label and a tab before each sentence, or give `lines("),
    ("lines()", "`lines` takes a path or more, got 0"),
    ('lines("a", columns = ["a", "a"])', "`columns` of `lines` must be a list"),
    ('lines("a", test = true)', "`test` of `lines` must be"),
]


@pytest.mark.parametrize(("data", "says"), WRONG)
def test_wrong_calls(data: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        found(LM, data, {"a": b"x y"}, tmp_path)
    assert says in str(caught.value)


def test_rows_of_different_lengths_from_python() -> None:
    net = gdl.compile(CLASSIFIER)
    history = net.fit(words=[[1, 2, 3], [4], [5, 6]], label=[0, 1, 0], epochs=1, batch=2)
    assert len(history) == 1
    assert net.evaluate(words=[[1, 2, 3], [4]], label=[0, 1])["loss"] > 0
    whole = net.predict([[1, 2, 3], [4]], output="scores")
    assert np.array_equal(whole[:1], net.predict([[1, 2, 3]], output="scores"))
    unpadded = gdl.compile(CLASSIFIER.replace(", pad = 0", ""))
    with pytest.raises(DataError, match=r"differ in length, from 1 to 3.*pad = 0"):
        unpadded.fit(words=[[1, 2, 3], [4]], label=[0, 1], epochs=1)
    unpadded.fit(words=[[1, 2, 3], [4]], label=[0, 1], epochs=1, batch=1)


@pytest.mark.data
def test_the_public_texts() -> None:
    folder = os.environ.get("GRAPHDL_DATA")
    if not folder:
        pytest.skip("GRAPHDL_DATA does not name a folder with the public data sets")
    root = Path(folder)
    ptb = read(
        "text", *(str(root / f"ptb/ptb.{part}.txt.gz") for part in ("train", "valid", "test"))
    )
    lengths = [len(split) + 1 for split in ptb.splits.values()]
    assert lengths == [929_589, 73_760, 82_430]
    words = ptb.train.column("features").vocabulary
    assert words is not None
    assert len(words) == 10_000
    plays = read("text", str(root / "shakespeare/input.txt.gz"), level="character")
    letters = plays.train.column("features").vocabulary
    assert len(plays.train) + 1 == 1_115_394
    assert letters is not None
    assert len(letters) == 65
    films = [str(root / f"rt-polarity/rt-polarity.{kind}.gz") for kind in ("neg", "pos")]
    assert len(read("lines", *films, encoding="cp1252").train) == 10_662
    tweets = read("lines", str(root / "tweets/test_data.txt.gz"), numbered=True).train
    assert tweets.numbers is not None
    assert tweets.numbers.tolist() == list(range(1, 10_001))
    reviews = read("lines", str(root / "hw2/nlp21_hw2_train.txt.gz"))
    assert np.bincount(reviews.train.fields["label"]).tolist() == [500, 500]
