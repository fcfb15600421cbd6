"""Classes keep their ids, whichever of them a set holds and in whatever order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import graphdl as gdl
from graphdl.data import Dataset, Lookup, Trained, bind, load
from graphdl.errors import DataError
from graphdl.graph.model import Named, Shaped

Labels = list[Any]
PETS = ("cat", "dog")
TWO, TEN, NUMBER = Shaped((), "int", 2), Shaped((), "int", 10), Shaped(())

# Names known, labels given, kind of the target; ids and names that come out.
KNOWN: dict[str, tuple[tuple[str, ...], Labels, Shaped, Labels, tuple[str, ...]]] = {
    "one of them": (PETS, ["dog", "dog"], TWO, [1, 1], PETS),
    "an order that is not alphabetical": (("no", "yes", "hm"), ["hm", "no"], TEN, [2, 0], ()),
    "as a number": (PETS, ["dog"], NUMBER, [1.0], PETS),
    "signs": (("-1", "+1"), [1, 1], TWO, [1, 1], ("-1", "+1")),
    "one sign as a number": (("-1", "+1"), [-1, -1], NUMBER, [0.0, 0.0], ("-1", "+1")),
    "numbers": (("3", "5"), [5, 5], TWO, [1, 1], ("3", "5")),
    "numbers that count": (("0", "1", "2"), [2, 1], TEN, [2, 1], ("0", "1", "2")),
    "numbers that count further": (("0", "1", "2"), [2, 7], TEN, [2, 7], ("0", "1", "2")),
    "numbers with a point": (("3", "5"), ["5.0", "3.0"], TWO, [1, 0], ("3", "5")),
    "numbers among texts": (("1", "2", "x"), [2, 1], TEN, [1, 0], ("1", "2", "x")),
    "signs among texts": (("-1", "1", "x"), [1, -1], TEN, [1, 0], ("-1", "1", "x")),
    "numbers with a gap": (("0", "4"), [4, 4], TWO, [1, 1], ("0", "4")),
}


def labelled(folder: Path, labels: Labels, name: str = "t.csv") -> None:
    (folder / name).write_text("a,label\n" + "".join(f"1,{label}\n" for label in labels), "utf-8")


TRAINED = Trained({"x": ("a",), "y": ("label",)})


@pytest.mark.parametrize("trained", [None, TRAINED, Trained(by_place=True)])
@pytest.mark.parametrize("case", KNOWN)
def test_known_classes_keep_their_ids(case: str, trained: Trained | None, tmp_path: Path) -> None:
    known, labels, shaped, ids, names = KNOWN[case]
    labelled(tmp_path, labels)
    source, lookup = Named("csv", ("t.csv",)), Lookup.standard(tmp_path)
    inputs, targets = {"x": Shaped((1,))}, {"y": shaped}
    found = load(source, inputs, targets, lookup, labels={"y": known}, trained=trained)
    assert found.train.batch(slice(None))["y"].tolist() == ids
    assert found.classes("y") == (names or known)


@pytest.mark.parametrize("kind", [TWO, NUMBER])
@pytest.mark.parametrize("known", [PETS, ("-1", "+1")])
def test_a_number_that_no_class_is_called_is_no_class(
    kind: Shaped, known: tuple[str, ...], tmp_path: Path
) -> None:
    labelled(tmp_path, [0, 1])
    source, lookup = Named("csv", ("t.csv",)), Lookup.standard(tmp_path)
    with pytest.raises(DataError, match=r"t\.csv, line 2: no class is called `0`; there are: "):
        load(source, {"x": NUMBER}, {"y": kind}, lookup, labels={"y": known}, trained=TRAINED)


def test_classes_of_an_input_keep_their_ids_too(tmp_path: Path) -> None:
    labelled(tmp_path, [2, 1])
    source, lookup = Named("csv", ("t.csv",)), Lookup.standard(tmp_path)
    given: dict[str, Any] = {"labels": {"y": ("1", "2", "x")}, "trained": TRAINED}
    found = load(source, {"y": TEN}, {}, lookup, **given)
    assert found.train.fields["y"].tolist() == [1, 0]


def test_a_number_between_classes_is_no_class(tmp_path: Path) -> None:
    labelled(tmp_path, [1, 0.5])
    source, lookup, known = Named("csv", ("t.csv",)), Lookup.standard(tmp_path), ("-1", "+1")
    given: dict[str, Any] = {"labels": {"y": known}, "trained": TRAINED}
    with pytest.raises(DataError, match=r"line 3: no class is called `0\.5`; there are: -1, \+1"):
        load(source, {"x": NUMBER}, {"y": NUMBER}, lookup, **given)
    found = load(source, {"x": NUMBER}, {"y": NUMBER}, lookup, need_targets=False, **given)
    assert found.fields == ("x",)


def test_what_was_trained_on_plain_numbers_reads_numbers(tmp_path: Path) -> None:
    trained = Trained({"x": "x", "y": "y"})
    texts = Dataset.from_arrays({"x": [1.0, 2.0], "y": ["1", "1"]})
    found = bind(texts, {"x": NUMBER}, {"y": TWO}, trained=trained)
    assert found.train.fields["y"].tolist() == [1, 1]
    (tmp_path / "t.svm").write_text("-1 1:2\n1 1:3\n", "utf-8")
    lookup, source = Lookup.standard(tmp_path), Named("libsvm", ("t.svm",))
    found = load(source, {"x": Shaped((1,))}, {"y": NUMBER}, lookup, trained=trained)
    assert found.train.fields["y"].tolist() == [-1, 1]


def test_as_many_numbers_as_classes_are_these_also_with_a_gap(tmp_path: Path) -> None:
    labelled(tmp_path, [0, 4, 4])
    source, lookup = Named("csv", ("t.csv",)), Lookup.standard(tmp_path)
    found = load(source, {"x": NUMBER}, {"y": TWO}, lookup)
    assert found.train.fields["y"].tolist() == [0, 1, 1]
    assert found.classes("y") == ("0", "4")
    with pytest.raises(DataError, match=r"line 3: `y` is 4, the model declares int\(3\)"):
        load(source, {"x": NUMBER}, {"y": Shaped((), "int", 3)}, lookup)


def test_what_is_bound_can_be_bound_again(tmp_path: Path) -> None:
    labelled(tmp_path, [7, 3, 7])
    inputs, targets = {"x": Shaped((1,))}, {"y": TWO}
    once = load(Named("csv", ("t.csv",)), inputs, targets, Lookup.standard(tmp_path))
    again = bind(once, inputs, targets, known={"y": ("3", "7")})
    for found in (once, again):
        assert found.train.fields["y"].tolist() == [1, 0, 1]
        assert found.classes("y") == ("3", "7")


CLASSIFIER = """
input  words[T]: int(9, pad = 0)
target label: int(2)
scores = words -> embedding(2) -> mean_over_time -> linear(2)
loss   = scores -> cross_entropy(label)
"""
PARTS = {"x": [1.0, 2.0, 3.0], "y": ["dog", "cat", "dog"]}

STRANGE: dict[str, tuple[dict[str, Any], dict[str, Any] | None, tuple[str, ...] | None, str]] = {
    "known": (
        {"x": [1.0, 2.0], "y": ["cat", "horse"]},
        None,
        PETS,
        "arrays (train), row 1: no class is called `horse`; there are: cat, dog",
    ),
    "nearly known": ({"x": [1.0], "y": ["dig"]}, None, PETS, "`dig`; did you mean `dog`?"),
    "in another part": (
        PARTS,
        {"x": [1.0, 2.0], "y": ["cat", "bird"]},
        None,
        "arrays (validation), row 1: no class is called `bird`; there are: cat, dog",
    ),
    "numbers for texts": (
        PARTS,
        {"x": [1.0], "y": [1]},
        None,
        "arrays (validation): `y` holds numbers, and the training part texts: write the same",
    ),
    "texts for numbers": (
        {"x": [1.0], "y": [1]},
        {"x": [1.0], "y": ["dog"]},
        None,
        "arrays (validation): `y` holds texts, and the training part numbers: write the same",
    ),
}


@pytest.mark.parametrize("case", STRANGE)
def test_a_class_that_there_is_none_of_has_its_place(case: str) -> None:
    fields, validation, known, says = STRANGE[case]

    def bound() -> Dataset:
        data = Dataset.from_arrays(fields, validation=validation)
        return bind(data, {"x": NUMBER}, {"y": TWO}, known={"y": known} if known else None)

    with pytest.raises(DataError) as caught:
        bound()
    assert says in str(caught.value)


def test_a_strange_number_of_another_file_is_told_with_its_line(tmp_path: Path) -> None:
    labelled(tmp_path, [1, 2])
    labelled(tmp_path, [2, 1, 0], "u.csv")
    source = Named("csv", ("t.csv", "u.csv"))
    with pytest.raises(DataError, match=r"u\.csv, line 4: no class is called `0`; there are: 1, 2"):
        load(source, {"x": Shaped((1,))}, {"y": TWO}, Lookup.standard(tmp_path))


def test_a_file_to_predict_may_have_anything_for_a_label(tmp_path: Path) -> None:
    labelled(tmp_path, ["unknown", "dog"])
    source, lookup = Named("csv", ("t.csv",)), Lookup.standard(tmp_path)
    inputs, targets = {"x": Shaped((1,))}, {"y": TWO}
    found = load(source, inputs, targets, lookup, need_targets=False, labels={"y": PETS})
    assert found.fields == ("x",)


def test_labels_are_those_of_training(tmp_path: Path) -> None:
    files = {"a": b"-1\tx\n1\ty\n", "b": b"+1\tz\n1\tx\n", "c": b"2\tx\n"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "model.gdl"
    path.write_text(f'{CLASSIFIER}train {{\n  data = lines("a")\n  epochs = 0\n}}\n', "utf-8")
    net = gdl.compile(path)
    net.fit()
    assert net.labels == {"label": ("-1", "+1")}
    other = net.dataset(data=Named("lines", ("b",)))
    assert other.train.fields["label"].tolist() == [1, 1]
    assert other.train.fields["words"].flat().tolist() == [1, 2]  # z was not there in training
    with pytest.raises(DataError, match=r"line 1: no class is called `2`; there are: -1, \+1"):
        net.dataset(data=Named("lines", ("c",)))
