"""What `fit` takes beside arrays: parts to hold out, settings as Python or files have them."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.data import Dataset
from graphdl.errors import GdlError, ModelError, UsageError

TEXT = "input x[3]\ntarget y\nh = x -> linear(2)\noutput z = h -> linear(1)\nloss = z -> mse(y)"
X, Y = np.random.default_rng(0).normal(size=(8, 3)), np.arange(8.0)
PAIR = {"x": X[:3], "y": Y[:3]}
DATA = Dataset.from_arrays(x=X, y=Y)


def fit(**settings: Any) -> Any:
    return gdl.compile(TEXT, dtype="float64").fit(x=X, y=Y, **({"epochs": 2} | settings))


ARRAYS: list[Any] = [PAIR, (X[:3], Y[:3]), [X[:3], Y[:3]], (X[:3].tolist(), Y[:3].tolist())]
COUNTS: list[Any] = [2, 0.25, "2", "0.25", np.int64(2), np.float32(0.25), 2.0]


@pytest.mark.parametrize("part", ["validation", "test"])
def test_parts_in_every_form(part: str) -> None:
    for forms in (ARRAYS, COUNTS):
        histories = [fit(**{part: form}) for form in forms]
        found = [h.test or h.records[-1]["validation_loss"] for h in histories]
        assert found == [found[0]] * len(forms)
    plain = fit()
    for nothing in (None, 0):
        assert fit(**{part: nothing})[-1]["loss"] == plain[-1]["loss"]


WRONG: list[tuple[Any, str]] = [
    ("x", "is a share such as 0.1, a count such as 100, or arrays"),
    (True, "not `True`"),
    (-1, "not `-1`"),
    (1.5, "not `1.5`"),
    (float("nan"), "not `nan`"),
    (DATA, "not `Dataset`"),
    (DATA.train, "not `Split`"),
    ((X,), "gives 1 arrays, there are 2 to give: x, y"),
    ((X, Y, Y), "gives 3 arrays"),
    ((1, 2), "not `tuple`"),
    ({"x": X}, "the fields are x; those of the training part are x, y"),
    (100, "takes 100 of 8 examples"),
]


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize(("given", "said"), WRONG)
def test_parts_that_are_none(part: str, given: Any, said: str) -> None:
    with pytest.raises(GdlError, match=re.escape(said)):
        fit(**{part: given})
    with pytest.raises(GdlError):
        gdl.compile(TEXT).fit(DATA, epochs=1, **{part: given})


RATES: list[Any] = [0.125, np.float32(0.125), np.float64(0.125), "0.125", Fraction(1, 8)]
RATES += [Decimal("0.125"), np.array(0.125)]
# Settings that say the same.
ALIKE: dict[str, list[dict[str, Any]]] = {
    "a rate": [{"lr": rate} for rate in RATES],
    "an optimiser": [
        {"optimizer": "sgd(lr = 0.125)"},
        {"optimizer": "sgd(0.125)"},
        {"optimizer": "sgd(lr = 1 / 8)"},
        {"optimizer": "sgd(lr = 1)", "lr": 0.125},
    ],
    "a schedule": [
        {"optimizer": "sgd(lr = steps(0.125, [1], 0.5))"},
        {"optimizer": "sgd(lr = 0.125)", "schedule": "steps([1], 0.5)"},
    ],
    "a table": [{"max_norm": {"h.linear": 0.1}}, {"max_norm": "{h.linear: 0.1}"}],
    "a list": [{"freeze": ["h"]}, {"freeze": "h"}, {"freeze": "[h]"}, {"freeze": ("h",)}],
    "counts": [{"batch": b, "epochs": 3} for b in (4, "4", 4.0, np.int32(4))],
    "a seed": [{"seed": 7}, {"seed": "7"}, {"seed": np.int64(7)}],
    "nothing": [{}, {"batch": None, "lr": None, "optimizer": None}],
}


@pytest.mark.parametrize("name", ALIKE)
def test_settings_as_python_and_the_language_have_them(name: str) -> None:
    found = [fit(**settings)["loss"] for settings in ALIKE[name]]
    assert found == [found[0]] * len(found)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"optimizer": "sgd("}, "`optimizer` must be a call"),
        ({"optimizer": "3"}, "`optimizer` must be a call"),
        ({"schedule": "a b"}, "`schedule` must be a call"),
        ({"lr": True}, "`lr` must be a number above 0, got true"),
        ({"lr": float("nan")}, "`lr` must be a number above 0"),
        ({"epochs": True}, "`epochs` must be a whole number from 0"),
        ({"batch": 0}, "`batch` must be a whole number from 1, got 0"),
        ({"batch": 2.5}, "`batch` must be a whole number from 1"),
        ({"seed": -1}, "`seed` must be a whole number from 0, got -1"),
        ({"max_norm": "{h: }"}, "`max_norm` must be a number above 0, or a table"),
    ],
)
def test_settings_that_are_none(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        fit(**settings)


def test_an_unknown_optimiser_is_shown_where_it_was_written() -> None:
    with pytest.raises(ModelError, match=r"--> optimizer:1:1"):
        fit(optimizer="nope(1)")
