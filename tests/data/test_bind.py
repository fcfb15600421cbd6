"""From fields of a data set to inputs and targets of a model, with every value checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphdl.data import Asked, Dataset, Lookup, bind, check_source, check_split, load, read
from graphdl.errors import DataError, ModelError
from graphdl.graph.model import Named, Shaped
from graphdl.program import Size

T = Size.named("T")
Shapes = dict[str, Shaped]


def digit(classes: int = 10) -> Shaped:
    return Shaped((), "int", classes)


IMAGE = {"image": Shaped((1, 8, 8))}
DIGIT = {"digit": digit()}

FITS: list[tuple[dict[str, Any], Shapes, Shapes, dict[str, tuple[int, ...]]]] = [
    ({}, IMAGE, DIGIT, {"image": (1, 8, 8), "digit": ()}),
    ({}, {"x": Shaped((64,))}, DIGIT, {"x": (64,), "digit": ()}),
    ({}, {"x": Shaped((8, 8))}, {}, {"x": (8, 8)}),
    ({"a": "pixels", "b": "pixels"}, {"a": Shaped((64,)), "b": Shaped((1, 8, 8))}, {}, {}),
    ({}, {"x": Shaped((1, T, T))}, {"y": Shaped((1,), "int", 10)}, {"x": (1, 8, 8), "y": (1,)}),
    ({}, {"pixels": Shaped((64,)), "label": digit()}, {}, {"pixels": (64,), "label": ()}),
    ({"p": "label"}, {"x": Shaped((64,))}, {"p": Shaped(())}, {"x": (64,), "p": ()}),
    ({"p": "pixels"}, {"x": Shaped((64,))}, {"p": Shaped((64,))}, {"x": (64,), "p": (64,)}),
    ({}, {"x": Shaped((64,), "int", 17)}, {}, {"x": (64,)}),
]


@pytest.mark.parametrize(("mapping", "inputs", "targets", "shapes"), FITS)
def test_digits_fit(
    mapping: dict[str, Any], inputs: Shapes, targets: Shapes, shapes: dict[str, Any]
) -> None:
    bound = bind(read("digits"), inputs, targets, Asked("digits", mapping))
    assert set(bound.splits) == {"train", "validation", "test"}
    assert bound.fields == (*inputs, *targets)
    batch = bound.train.batch(np.array([1, 5]))
    for name, shape in shapes.items():
        assert batch[name].shape == (2, *shape)
    for name, shaped in {**inputs, **targets}.items():
        assert batch[name].dtype == {"float": np.float32, "int": np.int64}[shaped.kind]


def test_columns_stand_side_by_side() -> None:
    data = Dataset.from_arrays(a=[1, 2], b=[3, 4], kind=["u", "v"])
    bound = bind(
        data, {"x": Shaped((2,))}, {"y": digit(2)}, Asked("csv", {"x": ["b", "a"], "y": "kind"})
    )
    assert bound.train.fields["x"].tolist() == [[3, 1], [4, 2]]
    assert bound.classes("y") == ("u", "v")


@pytest.mark.parametrize(
    ("labels", "shaped", "expected", "classes"),
    [
        ([1, 3, 7], digit(3), [0, 1, 2], ("1", "3", "7")),
        ([0, 1, 3], digit(4), [0, 1, 3], ("0", "1", "2", "3")),
        ([-1, 1, 0], digit(3), [0, 2, 1], ("-1", "0", "1")),
        ([1, 3, 7], Shaped(()), [1.0, 3.0, 7.0], ()),
        ([-1, 1, 1], Shaped(()), [0.0, 1.0, 1.0], ("-1", "+1")),
        ([0.5, 3, 7], Shaped(()), [0.5, 3.0, 7.0], ()),
    ],
)
def test_labels_of_a_text_file(
    labels: list[float], shaped: Shaped, expected: Any, classes: Any, tmp_path: Any
) -> None:
    (tmp_path / "t").write_text("\n".join(f"{label} 1:2" for label in labels))
    source = Named("libsvm", ("t",))
    bound = load(source, {"x": Shaped((1,))}, {"y": shaped}, Lookup.standard(tmp_path))
    assert bound.train.batch(slice(None))["y"].tolist() == expected
    assert bound.classes("y") == classes


WRONG_FIELDS: list[tuple[dict[str, Any], Shapes, Shapes, str]] = [
    (
        {"image": "picture"},
        IMAGE,
        DIGIT,
        (
            "E0701 the data set has no field `picture`|"
            'fields: pixels, label; write `digits(..., image = "pixels")`'
        ),
    ),
    (
        {"digit": "lable"},
        IMAGE,
        DIGIT,
        (
            "E0701 the data set has no field `lable`|did you mean `label`?|"
            'fields: pixels, label; write `digits(..., digit = "label")`'
        ),
    ),
    (
        {},
        {"left": Shaped((64,)), "pixel": Shaped((64,))},
        DIGIT,
        (
            "E0702 the data set digits has nothing for the input `left`|"
            'fields: pixels, label; write `digits(..., left = "pixels")`'
        ),
    ),
    (
        {"digit": "label"},
        IMAGE,
        {"digit": digit(), "b": digit()},
        (
            "E0702 the data set digits has nothing for the target `b`|"
            "its only fields are read already: pixels, label"
        ),
    ),
    (
        {},
        IMAGE,
        {"a": digit(), "b": digit()},
        (
            "E0702 the data set digits has nothing for the target `a`|"
            'fields: pixels, label; write `digits(..., a = "label")`'
        ),
    ),
]


BEYOND = "line 2: index 2 is beyond the 1 numbers of the model's `x`"
WIDTHS: list[tuple[Named, dict[str, Shaped], str]] = [
    (Named("libsvm", ("t",)), {"x": Shaped((4,))}, ""),
    (Named("libsvm", ("t",)), {"x": Shaped((1, 2, 2))}, ""),
    (Named("libsvm", ("t",), {"x": "features"}), {"x": Shaped((4,))}, ""),
    (Named("libsvm", ("t",)), {"features": Shaped((4,))}, ""),
    (Named("libsvm", ("t",), {"width": 4}), {"x": Shaped((4,))}, ""),
    (Named("libsvm", ("t",)), {"x": Shaped((1,))}, BEYOND),
    (Named("libsvm", ("t",), {"width": 3}), {"x": Shaped((4,))}, "is [3] per example"),
    (Named("libsvm", ("t",), {"base": 0}), {"x": Shaped((2,))}, "2, counted from 0, is beyond"),
]


@pytest.mark.parametrize(("source", "inputs", "says"), WIDTHS)
def test_the_model_says_how_many_features_there_are(
    source: Named, inputs: dict[str, Shaped], says: str, tmp_path: Path
) -> None:
    (tmp_path / "t").write_bytes(b"0 1:5\n1 2:7\n")
    if says:
        with pytest.raises(DataError) as caught:
            load(source, inputs, DIGIT, Lookup.standard(tmp_path))
        assert says in str(caught.value)
        return
    found = load(source, inputs, DIGIT, Lookup.standard(tmp_path)).train.fields
    name, shaped = next(iter(inputs.items()))
    assert found[name].shape == (2, *shaped.shape)
    assert found[name].reshape(2, 4).tolist() == [[5, 0, 0, 0], [0, 7, 0, 0]]


@pytest.mark.parametrize(("mapping", "inputs", "targets", "message"), WRONG_FIELDS)
def test_fields_that_do_not_exist(
    mapping: dict[str, Any], inputs: Shapes, targets: Shapes, message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        bind(read("digits"), inputs, targets, Asked("digits", mapping))
    (found,) = caught.value.diagnostics
    assert "|".join([f"{found.code} {found.message}", *found.hints]) == message


def test_a_setting_can_be_checked_without_files() -> None:
    written = Named("mnist", ("nowhere",), {"image": "pixels", "limit": 10})
    assert check_source(written, IMAGE, DIGIT) == ({"image": "pixels"}, {"limit": 10})
    for keywords, code in (({"image": "pixel"}, "E0701"), ({"imag": "pixels"}, "E0704")):
        with pytest.raises(ModelError) as caught:
            check_source(Named("mnist", ("nowhere",), dict(keywords)), IMAGE, DIGIT)
        assert caught.value.diagnostics[0].code == code


def test_an_argument_that_is_neither_option_nor_name() -> None:
    with pytest.raises(ModelError) as caught:
        check_source(Named("digits", (), {"imag": "pixels"}), IMAGE, DIGIT)
    assert caught.value.diagnostics[0].hints == (
        "did you mean `image`?",
        (
            "`digits` takes: split, validation, test, limit, shuffle, seed; "
            "and fields for the model's image, digit"
        ),
    )


NUMBERS = np.arange(6.0).reshape(3, 2)
NOT = np.array([[0, 1], [2, np.nan], [4, 5]])
BIG = np.array([[0, 1], [2, 3], [4, 1e39]])

VALUES: list[tuple[dict[str, Any], Shapes, str]] = [
    ({"x": NOT}, {"x": Shaped((2,))}, "S, row 1: `x` is nan, not a number"),
    ({"x": np.full((1, 2), np.nan)}, {"x": Shaped((2,))}, "S, row 0: `x` is nan, not a number"),
    ({"x": BIG}, {"x": Shaped((2,))}, "S, row 2: `x` is 1e+39, too large for float32"),
    (
        {"x": np.array([np.inf])},
        {"x": Shaped(())},
        "S, row 0: `x` is inf, not a number",
    ),
    (
        {"y": [0, 1, 12]},
        {"y": digit()},
        "S, row 2: `y` is 12, the model declares int(10), which is 0 to 9",
    ),
    (
        {"y": [0, -1, 12]},
        {"y": digit()},
        "S, row 1: `y` is -1, the model declares int(10), which is 0 to 9",
    ),
    (
        {"y": [[0, 1], [1, 2]]},
        {"y": Shaped((T,), "int", 2)},
        "S, row 1: `y` is 2, the model declares int(2), which is 0 to 1",
    ),
    (
        {"y": ["ape", "bee", "cow"]},
        {"y": digit(2)},
        "S, row 2: `y` is 2 (`cow`), the model declares int(2), which is 0 to 1",
    ),
    ({"y": [0.0, 1.5]}, {"y": digit()}, "S, row 1: `y` is 1.5, the model declares whole numbers"),
    ({"y": [np.nan]}, {"y": digit()}, "S, row 0: `y` is nan, the model declares whole numbers"),
    ({"m": [0, 1, 2]}, {"m": Shaped((), "bool")}, "S, row 2: `m` is 2, a truth is 0 or 1"),
    (
        {"y": ["ape", "bee", "cow"]},
        {"y": Shaped(())},
        (
            "S: `y` names classes (ape, bee, cow), but `y` is a number in the model; "
            "write `y: int(3)`"
        ),
    ),
    (
        {"x": NUMBERS},
        {"x": Shaped((3,))},
        "S: the field `x` is [2] per example, the model declares `x[3]`",
    ),
    (
        {"x": np.zeros((1, 28, 28, 1))},
        {"x": Shaped((3, 28, 28))},
        "S: the field `x` is [28, 28, 1] per example, the model declares `x[3, 28, 28]`",
    ),
    (
        {"x": np.zeros((1, 4, 2))},
        {"x": Shaped((2, 4))},
        "S: the field `x` is [4, 2] per example, the model declares `x[2, 4]`",
    ),
    (
        {"x": NUMBERS, "z": np.zeros((3, 3))},
        {"x": Shaped((T,)), "z": Shaped((T,))},
        "S: the field `z` is [3] per example, the model declares `z[T]`, where T is 2",
    ),
    (
        {"x": NUMBERS, "z": np.zeros((3, 3))},
        {"x": Shaped((T,)), "z": Shaped((T + 2,))},
        "S: the field `z` is [3] per example, the model declares `z[T+2]`, where T is 2",
    ),
]


@pytest.mark.parametrize(("fields", "inputs", "message"), VALUES)
def test_values_that_the_model_does_not_take(
    fields: dict[str, Any], inputs: Shapes, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        bind(Dataset.from_arrays(fields), inputs, {})
    assert str(caught.value).replace("arrays (train)", "S") == message


def test_the_line_of_a_bad_label_is_the_one_in_the_file(tmp_path: Any) -> None:
    (tmp_path / "t.csv").write_text("a,label\n" + "".join(f"1,{k}\n" for k in range(12)))
    with pytest.raises(DataError) as caught:
        load(Named("csv", ("t.csv",)), {"x": Shaped((1,))}, DIGIT, Lookup.standard(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path / 't.csv'}, line 12: `digit` is 10, the model declares int(10), which is 0 to 9"
    )


def test_a_late_bad_row_of_many_is_found() -> None:
    values = np.zeros((10_000, 2))
    values[9_000, 1] = np.inf
    split = Dataset.from_arrays(x=values).train
    with pytest.raises(DataError, match="row 9000: `x` is inf, not a number"):
        check_split(split, {"x": Shaped((2,))}, {})


def test_check_split_alone() -> None:
    split = Dataset.from_arrays(x=NUMBERS).train
    for inputs, message in (
        ({"z": Shaped(())}, "arrays (train): there is no field `z`"),
        ({"x": Shaped(())}, "arrays (train): `x` is [2] per example, the model declares []"),
    ):
        with pytest.raises(DataError) as caught:
            check_split(split, inputs, {})
        assert str(caught.value) == message


def test_targets_may_be_missing_for_prediction(tmp_path: Any) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    source = Named("csv", ("t.csv",), {"y": "kind"})
    inputs, targets = {"x": Shaped((2,))}, {"y": digit()}
    lookup = Lookup.standard(tmp_path)
    bound = load(source, inputs, targets, lookup, need_targets=False)
    assert bound.train.fields["x"].tolist() == [[1, 2], [3, 4]]
    assert bound.fields == ("x",)
    with pytest.raises(ModelError, match="the data set has no field `kind`"):
        load(source, inputs, targets, lookup)


SCALED: list[tuple[Named, dict[str, Shaped], Any]] = [
    (Named("npz", ("t.npz",), {"p": "a", "digit": "b", "scale": 4}), {"p": Shaped((2,))}, 2.0),
    (Named("npz", ("t.npz",), {"digit": "b", "scale": 4}), {"a": Shaped((2,))}, 2.0),
    (Named("npz", ("t.npz",), {"p": "a", "digit": "b"}), {"p": Shaped((2,))}, 8.0),
    (Named("npz", ("t.npz",), {"p": "x", "digit": "b", "scale": 4}), {"p": Shaped(())}, 0.25),
    (Named("npz", ("t.npz",), {"digit": "b", "scale": 4}), {"p": Shaped(())}, 0.25),
]


@pytest.mark.parametrize(("source", "inputs", "value"), SCALED)
def test_a_scale_divides_what_inputs_of_numbers_read(
    source: Named, inputs: dict[str, Shaped], value: float, tmp_path: Path
) -> None:
    arrays = {"a": np.full((4, 2), 8.0), "b": np.arange(4) % 2, "x": np.ones(4)}
    np.savez(tmp_path / "t.npz", **arrays)  # type: ignore[arg-type]
    found = load(source, inputs, DIGIT, Lookup.standard(tmp_path)).train.batch(slice(0, 1))
    assert np.ravel(found[next(iter(inputs))])[0] == value


def test_a_scale_that_divides_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", a=np.arange(4) % 2, b=np.arange(4) % 2, x=np.ones(4))
    source = Named("npz", ("t.npz",), {"p": "a", "digit": "b", "scale": 4})
    with pytest.raises(DataError) as caught:
        load(source, {"p": Shaped((), "int", 2)}, DIGIT, Lookup.standard(tmp_path))
    assert "t.npz: `scale` divides what an input of numbers reads, and none is known to" in str(
        caught.value
    )
