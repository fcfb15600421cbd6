"""What has no kernel is computed by NumPy between two tables, pointwise operations too."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gdl
from graphdl.backends.native.choose import lower
from graphdl.backends.native.emit import scalars
from graphdl.program import primitives as p

END = " -> linear(3) -> mse(y)\ntrain {\n  optimizer = sgd(lr = 0.1)\n}\n"
# Where the hyperbolic tangent stands.
MODELS = {
    "alone": "x -> tanh",
    "in a group": "x -> linear(4) -> softsign -> tanh -> softsign",
    "behind a product": "x -> linear(4) -> tanh",
    "before a sum": "x -> linear(4) -> softsign -> tanh -> layer_norm",
    "in a scan": "x -> reshape([2, 3]) -> rnn(4) -> last",
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("lacking", ["tanh", "contract"])
def test_without_its_kernel(name: str, lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if lacking == "tanh":
        monkeypatch.delitem(scalars.TABLE, "tanh")
    else:
        monkeypatch.delitem(lower.TABLE, p.Contract)
    text = f"input x[6]\ntarget y[3]\nloss = {MODELS[name]}{END}"
    nets = [gdl.compile(text, backend=b, dtype="float64", seed=1) for b in ("numpy", "native")]
    batch = nets[0].blank(5)
    for _ in range(2):
        losses = [net.step(**batch) for net in nets]
        np.testing.assert_allclose(losses[1], losses[0], rtol=1e-12)
    for key, weight in nets[0].weights.items():
        np.testing.assert_allclose(nets[1].weights[key], weight, rtol=1e-10, atol=1e-14)
