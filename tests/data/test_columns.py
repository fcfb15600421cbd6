"""Columns of a table go to inputs and targets by name, and what cannot be decided is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphdl.data import Asked, Lookup, bind, load, read
from graphdl.errors import DataError, ModelError
from graphdl.graph.model import Named, Shaped
from graphdl.program import Size

from .tables import NUMBER, TWO, Shapes, loaded, vector

T = Size.named("T")
# Text of t.csv, inputs, targets, mapping; what is said, and some values.
BOUND: dict[str, tuple[str, Shapes, Shapes, dict[str, Any], list[str], dict[str, Any]]] = {
    "the target by its own name, wherever it stands": (
        "price,a,b\n9,1,2\n8,3,4\n",
        vector(2),
        {"price": NUMBER},
        {},
        ["x [2] <- a, b (2 columns of t.csv)", "target price <- price (a column of t.csv)"],
        {"x": [[1, 2], [3, 4]], "price": [9, 8]},
    ),
    "the same when it is written": (
        "price,a,b\n9,1,2\n8,3,4\n",
        vector(2),
        {"price": NUMBER},
        {"price": "price"},
        ["x [2] <- a, b (2 columns of t.csv)", "target price <- price (a column of t.csv)"],
        {"x": [[1, 2], [3, 4]], "price": [9, 8]},
    ),
    "a text is no label because it is a text": (
        "size,color,weight,price\n1,red,2,9\n3,blue,4,8\n",
        vector(2),
        {"price": NUMBER},
        {},
        [
            "x [2] <- size, weight (2 columns of t.csv)",
            "target price <- price (a column of t.csv)",
            "unused: color (text)",
        ],
        {"x": [[1, 2], [3, 4]]},
    ),
    "a target of another name": (
        "a,species,b\n1,Gentoo,2\n3,Adelie,4\n",
        vector(2),
        {"kind": TWO},
        {"kind": "species"},
        ["x [2] <- a, b (2 columns of t.csv)", "target kind <- species: Adelie, Gentoo"],
        {"x": [[1, 2], [3, 4]], "kind": [1, 0]},
    ),
    "the column called label": (
        "Label,a\n1,2\n0,4\n",
        vector(1),
        {"kind": TWO},
        {},
        ["x [1] <- a (a column of t.csv)", "target kind <- Label: 0, 1"],
        {"x": [[2], [4]], "kind": [1, 0]},
    ),
    "features and label by their roles": (
        "label,a,b\n1,2,5\n0,4,6\n",
        vector(2),
        {"kind": TWO},
        {"x": "features", "kind": "label"},
        ["x [2] <- a, b (2 columns of t.csv)", "target kind <- label: 0, 1"],
        {"x": [[2, 5], [4, 6]]},
    ),
    "columns in the order that is written": (
        "a,b,y\n1,2,0\n3,4,1\n",
        vector(2),
        {"y": TWO},
        {"x": ["b", "a"]},
        ["x [2] <- b, a (2 columns of t.csv)", "target y <- y: 0, 1"],
        {"x": [[2, 1], [4, 3]]},
    ),
    "the text that is left where every number is taken": (
        "a,species,b\n1,cat,2\n3,ape,4\n",
        vector(2),
        {"kind": TWO},
        {},
        ["x [2] <- a, b (2 columns of t.csv)", "target kind <- species: ape, cat"],
        {"x": [[1, 2], [3, 4]], "kind": [1, 0]},
    ),
    "single columns by their names": (
        "sex,y,age\nm,0,30\nf,1,40\n",
        {"age": NUMBER, "sex": TWO},
        {"y": TWO},
        {},
        ["age <- age (a column of t.csv)", "sex <- sex: f, m", "target y <- y: 0, 1"],
        {"age": [30, 40], "sex": [1, 0]},
    ),
    "a size that the data says": (
        "y,a,b,c\n0,1,2,3\n",
        {"x": Shaped((T,))},
        {"y": NUMBER},
        {},
        ["x [T] <- a, b, c (3 columns of t.csv)", "target y <- y (a column of t.csv)"],
        {"x": [[1, 2, 3]]},
    ),
    "an image in columns, most of them unnamed here": (
        "y,p0,p1,p2,p3,p4,p5,p6,p7\n0,1,2,3,4,5,6,7,8\n",
        {"x": Shaped((1, 2, 4))},
        {"y": NUMBER},
        {},
        [
            "x [1, 2, 4] <- p0, p1, p2, p3, p4, p5, ... (8 columns of t.csv)",
            "target y <- y (a column of t.csv)",
        ],
        {"x": [[[[1, 2, 3, 4], [5, 6, 7, 8]]]]},
    ),
    "what cannot be read is not used": (
        ",a,note,b,c,\n1,2,x,3,,\n2,4,z,5,,\n",
        vector(2),
        {},
        {},
        ["x [2] <- a, b (2 columns of t.csv)", "unused: column1, note (text), c, column6"],
        {"x": [[2, 3], [4, 5]]},
    ),
    "a nameless column where it is asked for": (
        ",a\n1,2\n2,4\n",
        vector(2),
        {},
        {"x": ["column1", "a"]},
        ["x [2] <- column1, a (2 columns of t.csv)"],
        {"x": [[1, 2], [2, 4]]},
    ),
    "two signs are two classes": (
        "a,y\n1,-1\n2,1\n",
        vector(1),
        {"y": NUMBER},
        {},
        ["x [1] <- a (a column of t.csv)", "target y <- y: -1, +1, as the numbers 0 to 1"],
        {"y": [0, 1]},
    ),
    "an autoencoder": (
        "a,b\n1,2\n3,4\n",
        vector(2),
        {"p": NUMBER, "q": NUMBER},
        {"x": ["a", "b"], "p": "a", "q": "b"},
        [
            "x [2] <- a, b (2 columns of t.csv)",
            "target p <- a (a column of t.csv)",
            "target q <- b (a column of t.csv)",
        ],
        {"x": [[1, 2], [3, 4]], "p": [1, 3]},
    ),
    "names that would move the cursor": (
        "a\x1b[2J,y\n1,\x1b[3J\n2,b\n",
        vector(1),
        {"y": TWO},
        {},
        ["x [1] <- a\\x1b[2J (a column of t.csv)", "target y <- y: \\x1b[3J, b"],
        {"y": [0, 1]},
    ),
}


@pytest.mark.parametrize("case", BOUND)
def test_what_is_bound_is_said(case: str, tmp_path: Path) -> None:
    text, inputs, targets, mapping, lines, values = BOUND[case]
    told: list[str] = []
    found = loaded(tmp_path, text, inputs, targets, mapping=mapping, report=told.append)
    assert told == lines
    batch = found.train.batch(slice(None))
    assert {name: batch[name].tolist() for name in values} == values


UNDECIDED: dict[str, tuple[str, Shapes, Shapes, dict[str, Any], str, str]] = {
    "a column too many": (
        "id,a,b,price\n1,2,3,4\n",
        vector(2),
        {"price": NUMBER},
        {},
        "T: the input `x` takes 2 numbers, and 3 columns of numbers are left: `id`, `a`, `b`",
        'say which: write `csv(..., x = ["id", "a", ...])`',
    ),
    "a column too few": (
        "size,color,price\n1,red,4\n",
        vector(2),
        {"price": NUMBER},
        {},
        (
            "T: the input `x` takes 2 numbers, and 1 column of numbers is left: `size`; "
            "`color` holds text: `red` in line 2"
        ),
        'say which: write `csv(..., x = ["size", ...])`',
    ),
    "the last column is not guessed": (
        "a,b,c\n1,2,0\n",
        vector(2),
        {"kind": TWO},
        {},
        "T: the target `kind` could be `a`, `b`, `c`",
        'say which: write `csv(..., kind = "c")`',
    ),
    "nor the only text, where the input may take fewer": (
        "a,b,c,species\n1,2,3,ape\n",
        vector(2),
        {"kind": TWO},
        {},
        "T: the target `kind` could be `a`, `b`, `c`, `species`",
        'say which: write `csv(..., kind = "species")`',
    ),
    "nor the only text, for a number": (
        "a,b,species\n1,2,ape\n",
        vector(2),
        {"kind": NUMBER},
        {},
        "T: the target `kind` could be `a`, `b`, `species`",
        'say which: write `csv(..., kind = "species")`',
    ),
    "nor one text of two": (
        "a,b,town,species\n1,2,Bern,ape\n",
        vector(2),
        {"kind": TWO},
        {},
        "T: the target `kind` could be `a`, `b`, `town`, `species`",
        'say which: write `csv(..., kind = "species")`',
    ),
    "columns of one name": (
        "a,a,y\n1,2,0\n",
        vector(2),
        {"y": TWO},
        {},
        (
            "T: the input `x` takes 2 numbers, and 0 columns of numbers are left; "
            "2 columns are called `a`: write `column1` or `column2`"
        ),
        'say which: write `csv(..., x = ["...", ...])`',
    ),
    "what is to be predicted beside others": (
        "a,b,y\n1,2,0\n",
        vector(2),
        {"y": TWO},
        {"x": ["a", "y"]},
        "T: the input `x` reads `y`, which the target `y` reads too: it is told what to predict",
        "leave `y` out of `x`",
    ),
    "two labels": (
        "a,label,class\n1,0,1\n",
        vector(1),
        {"kind": TWO},
        {},
        "T: the target `kind` could be `label`, `class`",
        'say which: write `csv(..., kind = "class")`',
    ),
    "a text among numbers": (
        "age,sex,y\n1,m,1\n2,f,0\n",
        vector(2),
        {"y": TWO},
        {"x": ["age", "sex"]},
        (
            "T: `sex` holds texts (f, m), and `x` takes numbers side by side: give it an input of "
            "its own, `input sex: int(2)`"
        ),
        "",
    ),
    "two inputs": (
        "a,b,y\n1,2,0\n",
        {"u": NUMBER, "v": NUMBER},
        {"y": TWO},
        {},
        "the data set csv has nothing for the input `u`",
        'fields: a, b, y; write `csv(..., u = "a")`',
    ),
}


@pytest.mark.parametrize("case", UNDECIDED)
def test_what_cannot_be_decided_is_an_error(case: str, tmp_path: Path) -> None:
    text, inputs, targets, mapping, message, hint = UNDECIDED[case]
    with pytest.raises((DataError, ModelError)) as caught:
        loaded(tmp_path, text, inputs, targets, mapping=mapping)
    if isinstance(caught.value, ModelError):
        (found,) = caught.value.diagnostics
        assert found.hints == (hint,)
        assert found.message.replace(str(tmp_path / "t.csv"), "T") == message
    else:
        assert str(caught.value).replace(str(tmp_path / "t.csv"), "T") == message


def test_an_array_that_a_target_reads_is_an_input_only_where_that_is_written() -> None:
    digits = read("digits")
    shapes = {"x": Shaped((64,))}, {"pixels": Shaped((64,))}
    with pytest.raises(ModelError, match="nothing for the input `x`"):
        bind(digits, *shapes)
    told: list[str] = []
    bind(digits, *shapes, Asked("digits", {"pixels": "pixels"}), report=told.append)
    assert told == [
        "x [64] <- pixels (digits, divided by 16)",
        "target pixels [64] <- pixels (digits, divided by 16)",
        "unused: label",
    ]


def test_two_arrays_that_could_be_it_are_an_error(tmp_path: Path) -> None:
    import numpy as np

    np.savez(tmp_path / "t.npz", image=np.zeros((2, 2)), x=np.ones((2, 2)), label=[0, 1])
    source = Named("npz", ("t.npz",))
    with pytest.raises(ModelError, match="the input `a` could be `image`, `x`"):
        load(source, {"a": Shaped((2,))}, {"y": TWO}, Lookup.standard(tmp_path))


def test_a_scale_divides_inputs_however_they_are_named(tmp_path: Path) -> None:
    for mapping in ({}, {"x": ["a", "b"]}):
        told: list[str] = []
        found = loaded(
            tmp_path,
            "a,b,y\n5,10,20\n",
            vector(2),
            {"y": NUMBER},
            mapping={**mapping, "scale": 10},
            report=told.append,
        )
        batch = found.train.batch(slice(None))
        assert (batch["x"].tolist(), batch["y"].tolist()) == ([[0.5, 1.0]], [20.0])
        assert told[0] == "x [2] <- a, b (2 columns of t.csv, divided by 10)"
