"""Every definition of the prelude and every function of the compiler: a row or more for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.elaborate.functions import builtins
from graphdl.elaborate.library import prelude_trees
from graphdl.syntax import tree

from . import function_rows, layer_rows, loss_rows, pointwise_rows
from .row import Row, model, results

ROWS = [*pointwise_rows.ROWS, *layer_rows.ROWS, *loss_rows.ROWS, *function_rows.ROWS]
# Definitions whose tests are of another kind, and where they stand.
ELSEWHERE = {
    "test_optimisers.py": {"sgd", "adam", "adamw", "adagrad", "adadelta", "rmsprop"},
    "test_initialisers.py": {"uniform", "normal", "glorot", "he", "orthogonal", "file", "vectors"},
    "test_randomness.py": {"random"},
    "test_recurrence.py": {"rnn", "lstm", "gru", "rnn_step", "lstm_step", "gru_step"},
}
WORDS = {"all", "batch"}


def params(rows: list[Row]) -> list[Any]:
    return [pytest.param(row, id=row.id) for row in rows]


@pytest.mark.parametrize("row", params(ROWS))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value(row: Row, dtype: str) -> None:
    got, want = results(row, dtype)
    tolerance = 1e-12 if dtype == "float64" else row.single
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def known(net: gdl.Network, name: str) -> bool:
    return all(isinstance(size, int) for size in net.inputs[name].shape)


@pytest.mark.parametrize("row", params([row for row in ROWS if row.smooth]))
def test_gradient(row: Row) -> None:
    net = gdl.compile(row.text, dtype="float64")
    random = np.random.default_rng(3)
    for name, values in net.weights.items():
        net[name] = random.uniform(0.2, 1, values.shape)
    shapes = {n: tuple(map(int, net.inputs[n].shape)) for n in net.inputs if known(net, n)}
    data: dict[str, Any] = {n: np.broadcast_to(v, (3, *shapes[n])) for n, v in row.data.items()}
    if row.low > -2:
        data = {name: random.uniform(row.low, 2, (3, *shape)) for name, shape in shapes.items()}
    if not net.weights and all(port.dtype == "int64" for port in net.inputs.values()):
        with pytest.raises(gdl.UsageError, match="nothing to differentiate by"):
            net.gradcheck()
        return
    report = net.gradcheck(samples=12, data=data)
    assert not report.failures, str(report)
    # What is a step function of its input has no gradient, and nothing to probe.
    flat = all(one.verdict == "no gradient" for one in report.rows)
    assert report.ok or flat, str(report)
    assert not flat or row.name in FLAT


FLAT = {"sign", "floor", "accuracy", "binary_accuracy"}


@pytest.mark.parametrize(
    ("expression", "given", "code", "sentence"),
    [pytest.param(*wrong, id=f"{row.name}: {wrong[0]}") for row in ROWS for wrong in row.wrong],
)
def test_refusal(expression: str, given: str, code: str, sentence: str) -> None:
    (found,) = gdl.check(model(given, expression))
    assert found.code == code
    assert found.message.startswith(sentence)
    assert found.primary is not None
    line = f"y = {expression}"
    assert found.primary.span.source.name == "<text>"
    assert found.primary.span.source.text.splitlines()[found.primary.span.line - 1] == line


def test_every_definition_has_a_row() -> None:
    defined = {
        statement.name
        for one in prelude_trees()
        for statement in one.statements
        if isinstance(statement, tree.Op | tree.Block)
    }
    covered = {row.name for row in ROWS}.union(*ELSEWHERE.values())
    assert (defined | set(builtins()) | WORDS) == covered


def test_every_definition_has_its_documentation() -> None:
    silent = {
        statement.name
        for one in prelude_trees()
        for statement in one.statements
        if isinstance(statement, tree.Op | tree.Block) and not statement.doc
    }
    assert silent == set()


def test_every_definition_that_can_fail_is_seen_failing() -> None:
    failing = {row.name for row in ROWS if row.wrong}
    layers = {row.name for row in [*layer_rows.ROWS, *loss_rows.ROWS]}
    cannot = {"flatten"}  # takes any shape
    assert layers - failing == cannot
