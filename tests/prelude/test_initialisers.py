"""Initialisers: what they draw, where they find their sizes, and that they are told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import DataError, UsageError

MODEL = "input x[1, 8, 8]\noutput y = x -> conv(200, 5, init = {init})"


def drawn(init: str, seed: int = 0) -> np.ndarray[Any, Any]:
    return gdl.compile(MODEL.format(init=init), seed=seed)["y.conv.weight"]


@pytest.mark.parametrize(
    ("init", "deviation", "bound"),
    [
        ("uniform(0.3)", 0.3 / 3**0.5, 0.3),
        ("normal(0.1)", 0.1, 1),
        # fan in 1 * 25, fan out 200 * 25
        ("glorot()", (2 / (25 + 5000)) ** 0.5, (6 / 5025) ** 0.5),
        ("glorot(2)", 2 * (2 / 5025) ** 0.5, 2 * (6 / 5025) ** 0.5),
        ("glorot", (2 / 5025) ** 0.5, (6 / 5025) ** 0.5),
        ("he()", (2 / 25) ** 0.5, 2),
        ("he(gain = 0.5)", 0.5 * (2 / 25) ** 0.5, 1),
        ("he", (2 / 25) ** 0.5, 2),
    ],
)
def test_drawn(init: str, deviation: float, bound: float) -> None:
    values = drawn(init)
    assert abs(values.std() / deviation - 1) < 0.05
    assert abs(values.mean()) < 0.05 * deviation
    assert deviation < np.abs(values).max() <= bound * (1 + 1e-6)


@pytest.mark.parametrize("init", ["orthogonal", "orthogonal(1)", "orthogonal(gain = 3)"])
@pytest.mark.parametrize("shape", ["4, 9", "9, 4", "5, 5", "4, 3, 3"])
def test_orthogonal(init: str, shape: str) -> None:
    net = gdl.compile(f"weight w[{shape}] = {init}\noutput y = mean(w)", dtype="float64")
    gain = 3 if "3" in init else 1
    matrix = net["w"].reshape(net["w"].shape[0], -1) / gain
    rows, columns = matrix.shape
    product = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    np.testing.assert_allclose(product, np.eye(min(rows, columns)), atol=1e-12)


@pytest.mark.parametrize("init", ["0.25", "1 / 4", "uniform(0) + 0.25", "-3"])
def test_constant(init: str) -> None:
    if "uniform" in init:
        (found,) = gdl.check(MODEL.format(init=init))
        assert found.code == "E0307"
        return
    assert (drawn(init) == eval(init)).all()


def test_defaults() -> None:
    text = "input x[2, 9, 9]\ninput k: int(50)\n"
    text += "output y = x -> conv(40, 3) -> batch_norm -> flatten -> linear(30)\n"
    text += "output e = k -> embedding(100)\nweight w[300, 200]\noutput z = mean(w)"
    net = gdl.compile(text, seed=1)
    for name, fan in {"y.conv": 18, "y.linear": 1960}.items():
        for part in ("weight", "bias"):
            values = net[f"{name}.{part}"]
            assert np.abs(values).max() <= 1 / fan**0.5
            assert abs(values.std() * fan**0.5 * 3**0.5 - 1) < 0.25
    assert abs(net["e.embedding.weight"].std() - 1) < 0.05
    assert (net["y.batch_norm.scale"] == 1).all()
    assert (net["y.batch_norm.shift"] == 0).all()
    assert (net["y.batch_norm.average"] == 0).all()
    assert (net["y.batch_norm.spread"] == 1).all()
    assert np.abs(net["w"]).max() <= (6 / 500) ** 0.5


def test_drawn_from_the_seed_and_the_name_alone() -> None:
    assert np.array_equal(drawn("normal(1)"), drawn("normal(1)"))
    assert not np.array_equal(drawn("normal(1)"), drawn("normal(1)", seed=1))
    short = gdl.compile("input x[3]\noutput y = x -> linear(4)")
    longer = gdl.compile("input x[3]\na = x -> linear(7)\noutput z = a\noutput y = x -> linear(4)")
    assert np.array_equal(short["y.linear.weight"], longer["y.linear.weight"])
    two = gdl.compile("input x[3]\noutput y = x -> linear(3) -> linear(3)")
    assert not np.array_equal(two["y.linear.weight"], two["y.linear#2.weight"])


def test_file(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(6, 3))
    np.save(tmp_path / "words.npy", values)
    model = tmp_path / "model.gdl"
    text = 'input k: int(6)\noutput y = k -> embedding(3, init = file("words.npy"))'
    model.write_text(text)
    net = gdl.compile(model, dtype="float64")
    assert np.array_equal(net["y.embedding.weight"], values)
    np.save(tmp_path / "words.npy", values[:4])
    with pytest.raises(DataError, match=r"is \[6, 3\], but .* holds \[4, 3\]"):
        gdl.compile(model)
    np.save(tmp_path / "words.npy", values * np.inf)
    with pytest.raises(DataError, match="not finite"):
        gdl.compile(model)
    (tmp_path / "words.npy").write_bytes(b"\x93NUMPY\x01")
    with pytest.raises(DataError, match=r"has a damaged header"):
        gdl.compile(model)
    (tmp_path / "words.npy").unlink()
    with pytest.raises(DataError, match="does not exist"):
        gdl.compile(model)


@pytest.mark.parametrize("path", ["../words.npy", "/etc/words.npy", "a/../../words.npy"])
def test_a_file_stays_in_the_folder_of_the_model(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    np.save(tmp_path / "words.npy", np.zeros((6, 3)))
    (folder / "m.gdl").write_text(
        f'input k: int(6)\noutput y = k -> embedding(3, init = file("{path}"))'
    )
    with pytest.raises((UsageError, DataError), match="leaves the folder"):
        gdl.compile(folder / "m.gdl")


@pytest.mark.parametrize(
    ("init", "code", "sentence"),
    [
        ('"zeros"', "E0318", '`weight` cannot start as "zeros"'),
        ("relu", "E0318", "`weight` cannot start as the layer `relu`"),
        ("true", "E0318", "`weight` cannot start as true"),
        ("uniform", "E0318", "`weight` cannot start as the layer `uniform`"),
        ("uniform()", "E0206", "`uniform` needs `a`"),
        ('uniform("a")', "E0318", "`uniform` wants numbers"),
        ("normal(1, 2)", "E0202", "`normal` has too many arguments"),
        ("normal(-1)", "E0318", "`normal` wants numbers from 0"),
        ("file(3)", "E0318", "`file` wants a path"),
        ("nrmal(1)", "E0201", "I do not know a layer called `nrmal`"),
        ("normal(s = 1, t = 2)", "E0202", "`normal` has no argument `t`"),
    ],
)
def test_refusals(init: str, code: str, sentence: str) -> None:
    (found,) = gdl.check(MODEL.format(init=init))
    assert (found.code, found.message.startswith(sentence)) == (code, True), found.message
    assert found.primary is not None
    assert found.primary.span.line == 2
