"""A trained network reads a table by the names of its columns and classes, and knows no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphdl.data import Dataset, Lookup, Trained, bind, load, read
from graphdl.errors import DataError, ModelError
from graphdl.graph.model import Named, Shaped
from graphdl.program import Size

from .tables import NUMBER, THREE, TWO, Shapes, loaded, vector

TRAINED = Trained({"x": ("a", "b"), "kind": ("species",)})
NAMES = {"kind": ("Adelie", "Chinstrap", "Gentoo")}

LATER: dict[str, tuple[str, dict[str, Any], bool, dict[str, Any] | str]] = {
    "another order": (
        "species,b,a\nGentoo,2,1\nChinstrap,4,3\n",
        {},
        True,
        {"x": [[1, 2], [3, 4]], "kind": [2, 1]},
    ),
    "columns more": (
        "id,b,species,a,label\n7,2,Adelie,1,5\n",
        {},
        True,
        {"x": [[1, 2]], "kind": [0]},
    ),
    "other names": (
        "u,v,species\n1,2,Gentoo\n",
        {"x": ["u", "v"]},
        True,
        {"x": [[1, 2]], "kind": [2]},
    ),
    "no target to predict": ("b,a\n2,1\n", {}, False, {"x": [[1, 2]]}),
    "a target that is unknown to predict": (
        "b,species,a\n2,?,1\n",
        {},
        False,
        {"x": [[1, 2]]},
    ),
    "holes in a target to predict": (
        "b,species,a\n2,,1\n3,Adelie,1\n",
        {},
        False,
        {"x": [[1, 2], [1, 3]]},
    ),
    "a column that is not there": (
        "a,c,species\n1,2,Adelie\n",
        {},
        True,
        (
            "T: has no column `b`, which `x` was trained on; there are `a`, `c`, `species`; where "
            'it is called otherwise write `csv(..., x = ["...", ...])`'
        ),
    ),
    "nor to predict": (
        "c,a,species\n1,2,Adelie\n",
        {},
        False,
        (
            "T: has no column `b`, which `x` was trained on; there are `c`, `a`, `species`; where "
            'it is called otherwise write `csv(..., x = ["...", ...])`'
        ),
    ),
    "no target": (
        "a,b,kind\n1,2,Adelie\n",
        {},
        True,
        (
            "T: has no column `species`, which `kind` was trained on; there are `a`, `b`, `kind`; "
            'where it is called otherwise write `csv(..., kind = "...")`'
        ),
    ),
}


@pytest.mark.parametrize("case", LATER)
def test_a_trained_network_goes_by_the_names_of_training(case: str, tmp_path: Path) -> None:
    text, mapping, need_targets, expected = LATER[case]

    def found() -> Any:
        return loaded(
            tmp_path,
            text,
            vector(2),
            {"kind": THREE},
            mapping=mapping,
            need_targets=need_targets,
            labels=NAMES,
            trained=TRAINED,
        )

    if isinstance(expected, str):
        with pytest.raises(DataError) as caught:
            found()
        assert str(caught.value).replace(str(tmp_path / "t.csv"), "T") == expected
        return
    data = found()
    assert {name: values.tolist() for name, values in data.train.fields.items()} == expected


ARRAYS: dict[str, tuple[dict[str, Any], str]] = {
    "the same": ({"depth": [[1.0, 2.0]], "image": [[8.0, 9.0]], "cls": [1], "label": [0]}, ""),
    "not the same": (
        {"image": [[8.0, 9.0]], "cls": [1]},
        (
            "has no field `depth`, which `x` was trained on; there are `image`, `cls`; where it is "
            'called otherwise write `npz(..., x = "...")`'
        ),
    ),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_of_a_file_go_by_the_names_of_training(case: str, tmp_path: Path) -> None:
    arrays, message = ARRAYS[case]
    np.savez(tmp_path / "t.npz", **arrays)
    trained = Trained({"x": "depth", "kind": "cls"})
    inputs, targets = vector(2), {"kind": TWO}

    def found() -> Dataset:
        source, lookup = Named("npz", ("t.npz",)), Lookup.standard(tmp_path)
        return load(source, inputs, targets, lookup, trained=trained)

    if message:
        with pytest.raises(DataError) as caught:
            found()
        assert str(caught.value) == f"{tmp_path / 't.npz'}: {message}"
    else:
        fields = found().train.fields
        assert (fields["x"].tolist(), fields["kind"].tolist()) == ([[1, 2]], [1])


@pytest.mark.parametrize(("written", "expected"), [({}, 0.5), ({"scale": 1}, 5), ({"scale": 5}, 1)])
def test_other_files_are_divided_as_in_training(
    written: dict[str, Any], expected: float, tmp_path: Path
) -> None:
    trained = Trained({"x": ("x",)}, scale=10.0)
    (tmp_path / "t.csv").write_text("x\n5\n", "utf-8")
    np.savez(tmp_path / "t.npz", x=[[5.0]])
    lookup = Lookup.standard(tmp_path)
    for reader in ("csv", "npz"):
        source = Named(reader, (f"t.{reader}",), dict(written))
        found = load(source, vector(1), {}, lookup, trained=trained)
        assert found.train.batch(slice(None))["x"].tolist() == [[expected]]
    if not written:
        data = read("csv", str(tmp_path / "t.csv"))
        found = bind(data, vector(1), {}, trained=trained)
        assert found.train.batch(slice(None))["x"].tolist() == [[expected]]


# What a network was trained on, labels of the file, kind of the target; what they become.
PLAIN: dict[str, tuple[list[Any], Shaped, list[Any] | str]] = {
    "ids stay ids": ([1, 2, 2], THREE, [1, 2, 2]),
    "signs stay signs": ([-1, 1, 1], NUMBER, [-1, 1, 1]),
    "names are unknown": (
        ["cat", "dog", "cat"],
        TWO,
        "`y` names classes (cat, dog), and the model was trained on numbers without names",
    ),
}


@pytest.mark.parametrize("case", PLAIN)
def test_what_was_trained_on_plain_numbers_takes_plain_numbers(case: str, tmp_path: Path) -> None:
    labels, target, expected = PLAIN[case]
    text = "x,y\n" + "".join(f"1,{label}\n" for label in labels)
    trained = Trained({"x": "x", "y": "y"})
    if isinstance(expected, str):
        with pytest.raises(DataError, match="trained on numbers without names") as caught:
            loaded(tmp_path, text, {"x": NUMBER}, {"y": target}, trained=trained)
        assert expected in str(caught.value)
        return
    found = loaded(tmp_path, text, {"x": NUMBER}, {"y": target}, trained=trained)
    assert found.train.fields["y"].tolist() == expected


PLACES: dict[str, tuple[str, Shapes, dict[str, Any], bool, list[str]]] = {
    "the last is the label": ("b,a,c\n1,2,0\n", {"y": TWO}, {}, True, ["b", "a"]),
    "the target stays among the features": (
        "price,a,c\n1,2,0\n",
        {"price": NUMBER},
        {},
        True,
        ["price", "a"],
    ),
    "a text is the label": ("b,c,a\n1,z,2\n", {"y": TWO}, {}, True, ["b", "a"]),
    "as the model writes": (
        "b,a,c\n1,2,0\n",
        {"y": TWO},
        {"x": ["a", "b"], "y": "c"},
        True,
        ["a", "b"],
    ),
    "to predict, with a label": ("b,a,y\n1,2,0\n", {"y": TWO}, {}, False, ["b", "a"]),
    "to predict, without": ("b,a\n1,2\n", {"y": TWO}, {}, False, ["b", "a"]),
}


@pytest.mark.parametrize("case", PLACES)
def test_without_names_columns_go_by_place_and_that_is_said(case: str, tmp_path: Path) -> None:
    text, targets, mapping, need_targets, columns = PLACES[case]
    told: list[str] = []
    trained = Trained(by_place=True).with_mapping(mapping)
    found = loaded(
        tmp_path,
        text,
        vector(2),
        targets,
        need_targets=need_targets,
        trained=trained,
        report=told.append,
    )
    held = dict(zip(*(row.split(",") for row in text.split()), strict=True))
    assert found.train.fields["x"].tolist() == [[float(held[name]) for name in columns]]
    assert told[0].endswith("knows no names of columns") == (not mapping)


def test_names_are_written_and_read() -> None:
    trained = Trained({"x": ("a", "b"), "y": "label", "next": 1})
    assert Trained.from_json(trained.to_json()) == trained
    assert Trained.from_json(None) == Trained(by_place=True)
    wrongs: tuple[Any, ...] = (
        3,
        [1],
        {"x": []},
        {"x": [1]},
        {"x": None},
        {"x": {"a": 1}},
        {"x": 1.5},
    )
    for wrong in wrongs:
        with pytest.raises(ValueError, match="field"):
            Trained.from_json(wrong)


def test_without_names_and_numbers_there_is_nothing_to_read(tmp_path: Path) -> None:
    inputs, trained = {"x": Shaped((Size.named("T"),))}, Trained(by_place=True)
    with pytest.raises(ModelError, match="nothing for the input `x`"):
        loaded(tmp_path, "a,b\np,q\n", inputs, {"y": TWO}, trained=trained)
