"""What is not finite never reaches weights, states of optimisers or running averages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.engine.trainable import NonFinite
from graphdl.errors import DivergedError
from graphdl.passes.settle import settle_updates
from graphdl.passes.sources import sources
from graphdl.passes.tame import untamed

ENDS = "input x[4]\ntarget y: int(3)\n"
LOSS = "loss = s -> cross_entropy(y)\n"
GOOD = np.random.default_rng(0).uniform(0.5, 1.5, (8, 4))
# The first row has no finite slope, or value, in most of the models.
BAD = np.concatenate([np.zeros((1, 4)), GOOD[1:]])


@dataclass(frozen=True)
class Case:
    """A model, the setting it is trained with, and what is said of a step on zeros."""

    name: str
    text: str
    says: str
    settings: str = ""
    bad: Any = None
    lr: float | None = None


def steep(body: str = "") -> str:
    """A model whose loss is finite on zeros and whose gradient is not."""
    hidden = "h = x -> linear(6) -> tanh\nq = sqrt(abs((x -> linear(2, bias = false))))\n"
    return f"{ENDS}{hidden}s = (h, q) -> concat -> linear(3){body}\n{LOSS}"


GRADIENT = r"the gradient is not finite: `q\.\w+` produced it first"
CASES = [
    Case("adam", steep(), GRADIENT),
    Case("plain", steep(), GRADIENT, "optimizer = sgd(lr = 0.1)"),
    Case("momentum", steep(), GRADIENT, "optimizer = sgd(lr = 0.1, momentum = 0.9)"),
    Case("clip", steep(), GRADIENT, "clip = 1.0"),
    Case("clip_value", steep(), GRADIENT, "clip_value = 1.0"),
    Case("penalties", steep(), GRADIENT, "l1 = 1e-3\nl2 = 1e-3\ndecay = 1e-3"),
    Case("max_norm", steep(), GRADIENT, "max_norm = 1.0"),
    Case("batch_norm", steep(" -> batch_norm"), GRADIENT),
    Case("frozen", steep(), GRADIENT, "freeze = [h]"),
    Case(
        "the loss",
        f"{ENDS}q = log(sum(x, 0))\ns = (x -> linear(3)) * q\n{LOSS}",
        "the loss is not finite: `q.log` produced it first",
    ),
    Case(
        "a rate that is too large",
        f"{ENDS}s = x -> linear(3)\nloss = (s -> cross_entropy(y)) * 1e3\n",
        r"the next value of `s\.linear\.\w+` is not finite",
        "optimizer = sgd(lr = 0.1)",
        bad=GOOD,
        lr=1e38,
    ),
    Case("a rate beyond float32", steep(), r"the next value of `.*` is", bad=GOOD, lr=1e39),
    Case("a rate that is none", steep(), r"the next value of `.*` is", bad=GOOD, lr=np.nan),
    Case(
        "states that overflow",
        f"{ENDS}s = x * 1e25 -> linear(3) -> tanh -> linear(3)\nloss = s -> cross_entropy(y)\n"
        "weight w[4] = 0\nloss more = mean(sum(x * w, 0)) * 1e25\n",
        r"the next value of `w\.\w+` is not finite",
        bad=GOOD,
    ),
    Case(
        "rows of a table",
        "input x[5]: int(4096)\ntarget y: int(3)\nq = x -> embedding(4, init = 1) -> abs -> log\n"
        f"s = sqrt(q) -> flatten -> linear(3)\n{LOSS}",
        "the gradient is not finite",
        "optimizer = sgd(lr = 0.1)",
        bad=np.arange(40).reshape(8, 5),
    ),
]


PLAIN = f"{ENDS}s = x -> linear(3)\n{LOSS}"
# Rules that make something infinite, or no number, of gradients that are neither, sooner or later.
RULES = {
    "a divisor that is zero": ("state v = 0", "next v = v + abs(grad)", "w - lr * grad / v"),
    "zero by zero": ("w - lr * grad / sqrt(grad * grad - abs(grad) ^ 2)",),
    "no eps": ("state v = 0", "next v = grad * grad", "w - lr * 0 * grad / sqrt(v)"),
    "an exponential": ("w - lr * exp(1000 * abs(grad))",),
    "a logarithm": ("w - lr * log(0 * abs(grad))",),
    "a power": ("w - lr * abs(1e4 * grad + 2) ^ 40",),
    "a factor": ("state v = 1", "next v = 1e9 * v", "w - lr * grad - 0 * v"),
    "a square": ("state v = 1e6", "next v = v * v", "w - lr * grad - 0 * v"),
    "two that drive each other": (
        *("state u = 1", "state v = 1", "next u = 1e5 * v", "next v = 1e5 * u"),
        "w - lr * grad - 0 * next u",
    ),
}


@pytest.fixture(params=["numpy", "native"])
def backend(request: pytest.FixtureRequest) -> str:
    """A backend of this machine."""
    return str(request.param)


def labels(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A class for each row."""
    return np.arange(len(x)) % 3


def compiled(case: Case, backend: str, dtype: str = "float32") -> gdl.Network:
    """The network of a case, ready to be trained as it says, after a good step."""
    text = f"{case.text}\ntrain {{\n{case.settings}\n}}\n" if case.settings else case.text
    net = gdl.compile(text, backend=backend, dtype=dtype, seed=3)
    if case.lr is None and case.bad is None:
        net.step(x=GOOD, y=labels(GOOD))
    return net


def same(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether two states are equal to the last bit."""
    return before.keys() == after.keys() and all(np.array_equal(before[k], after[k]) for k in after)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_step(case: Case, backend: str, dtype: str) -> None:
    if dtype == "float64" and (case.lr in (1e38, 1e39) or case.name == "states that overflow"):
        pytest.skip("finite in float64")
    net = compiled(case, backend, dtype)
    bad = BAD if case.bad is None else case.bad
    before = net.state()
    with pytest.raises(DivergedError, match=case.says) as caught:
        net.step(case.lr, x=bad, y=labels(bad))
    assert f"step {net.steps + 1}: " in str(caught.value)
    assert "the weights are those before this step" in str(caught.value)
    assert same(before, net.state())
    if case.bad is None:
        assert np.isfinite(net.step(x=GOOD, y=labels(GOOD)))
        assert all(np.isfinite(array).all() for array in net.state().values())


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("case", CASES[:9], ids=lambda case: case.name)
def test_many_steps_in_one_call(case: Case, size: int, backend: str) -> None:
    if size == 1 and case.name == "batch_norm":
        pytest.skip("one example is refused")
    net, alone = (compiled(case, backend) for _ in range(2))
    rows = np.concatenate([np.tile(GOOD, (3, 1)), BAD[:1], GOOD[:-1]]).astype(np.float32)
    y = labels(rows)
    good = 24 // size
    found = net.train_batches({"x": rows, "y": y}, None, len(rows) // size)
    for place in range(good):
        some = slice(place * size, (place + 1) * size)
        alone.step(x=rows[some], y=y[some])
    if found is None:
        return
    assert len(found["loss"]) == good
    assert (net.steps, net.draws) == (alone.steps, alone.draws)
    assert same(net.state(), alone.state())


def test_a_training_keeps_the_checkpoint_before(backend: str, tmp_path: Path) -> None:
    net, judge = (compiled(CASES[0], backend) for _ in range(2))
    x = np.concatenate([np.tile(GOOD, (4, 1)), BAD])
    settings: dict[str, Any] = {"batch": 8, "sampler": "sequential", "save_every": 2}
    with pytest.raises(DivergedError, match="at epoch 1, step 5: `q") as caught:
        net.fit(x=x, y=labels(x), folder=tmp_path, **settings)
    (path,) = tmp_path.glob("*/last.safetensors")
    assert f"the last checkpoint is {path}" in str(caught.value)
    judge.fit(x=x[:32], y=labels(x)[:32], epochs=1, **settings)
    assert same(net.state(), judge.state())
    assert same(gdl.load(path).weights, judge.weights)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_group_of_batches(place: int, backend: str) -> None:
    net = compiled(Case("group", steep(), GRADIENT, "accumulate = 3"), backend)
    batches = [{"x": GOOD.astype(np.float32), "y": labels(GOOD)} for _ in range(3)]
    batches[place] = {"x": BAD.astype(np.float32), "y": labels(BAD)}
    for number, batch in enumerate(batches[:place]):
        net.train_batch(batch, None, last_of_group=number == 2)
    before = net.state()
    with pytest.raises(NonFinite, match="the gradient is not finite"):
        net.train_batch(batches[place], None, last_of_group=place == 2)
    assert same(before, net.state())


def test_states_that_are_carried(backend: str) -> None:
    text = """
input x[T, 1]
target y[T, 1]
block v -> grow() {
  state h[1] = 0
  next h = h * 1e15 + v
  next h
}
cells = x -> scan { grow() }
output p = cells -> tanh -> linear(1)
loss = p -> mse(y)
train {
  carry_state = true
  window = 2
}
"""
    net = gdl.compile(text, backend=backend, seed=1)
    first = {"x": np.ones((1, 2, 1), np.float32), "y": np.ones((1, 2, 1), np.float32)}
    before = net.state()
    net.train_batch(first, 1e-3)
    before = net.state()
    with pytest.raises(NonFinite, match="is not finite"):
        net.train_batch(first, 1e-3, fresh=False)
    assert same(before, net.state())


def test_large_gradients_are_no_fault(backend: str) -> None:
    """Where they are so large that a closer look is needed, steps are what they would be."""
    text = f"{ENDS}s = x -> linear(3)\nloss = (s -> cross_entropy(y)) * 1e18\n"
    net = gdl.compile(text, backend=backend, seed=1)
    plain = gdl.compile(text.replace("1e18", "1"), backend=backend, seed=1)
    for each in (net, plain):
        for _ in range(3):
            each.step(1e-20 if each is net else 1e-2, x=GOOD, y=labels(GOOD))
    assert net.steps == 3
    for name in net.weights:
        assert np.isfinite(net[name]).all()


def test_a_mask_may_hide_the_infinite(backend: str) -> None:
    text = f"{ENDS}h = if x > 0 {{ log(x) }} else {{ 0 * x }}\ns = h -> linear(3)\n{LOSS}"
    net = gdl.compile(text, backend=backend, seed=1)
    assert np.isfinite(net.step(x=BAD, y=labels(BAD)))


@pytest.mark.parametrize("name", RULES)
def test_rules_that_go_too_far(name: str, backend: str) -> None:
    body = "\n".join(RULES[name])
    text = (
        f"rule (w, grad) -> mine(lr) {{\n{body}\n}}\n{PLAIN}train {{\noptimizer = mine(0.1)\n}}\n"
    )
    net = gdl.compile(text, backend=backend, seed=1)
    states = []

    def go_on() -> None:
        for _ in range(20):
            states.append(net.state())
            net.step(x=GOOD, y=labels(GOOD))

    with pytest.raises(DivergedError, match=r"the next value of `s\.linear"):
        go_on()
    assert same(states[-1], net.state())
    assert all(np.isfinite(array).all() for state in states for array in state.values())


@pytest.mark.parametrize(
    "optimizer",
    [
        "adam(eps = 0)",
        "adagrad(eps = 0)",
        "adam(beta1 = 1)",
        "sgd(0.1, momentum = 1e9)",
        "sgd(1e15)",
    ],
)
def test_arguments_that_go_too_far(optimizer: str, backend: str) -> None:
    """A weight whose gradient is zero is divided by zero, and what grows becomes infinite."""
    text = f"{ENDS}s = x -> linear(8) -> relu -> linear(3)\n{LOSS}"
    net = gdl.compile(text + f"train {{\noptimizer = {optimizer}\n}}\n", backend=backend, seed=1)
    net["s.linear.bias"] = -50.0
    for _ in range(20):
        before = net.state()
        try:
            net.step(x=GOOD, y=labels(GOOD))
        except DivergedError:
            assert same(before, net.state())
            break
        assert all(np.isfinite(array).all() for array in net.state().values())


def test_ordinary_optimisers_are_not_looked_at_twice() -> None:
    """What they write needs no look, which costs time: only what it is made of."""
    head = f"{ENDS}s = x -> linear(5) -> batch_norm -> tanh -> linear(3)\n{LOSS}train {{\n"
    for setting in (
        "optimizer = sgd(0.1)",
        "optimizer = sgd(0.1, momentum = 0.9, nesterov = true, decay = 1e-4)",
        "optimizer = adam()",
        "optimizer = adamw()",
        "optimizer = adagrad()",
        "optimizer = rmsprop(momentum = 0.9)",
        "clip = 1",
        "clip_value = 1",
        "l1 = 1e-3\nl2 = 1e-3\ndecay = 1e-3",
        "max_norm = 1",
        "accumulate = 4",
    ):
        program = settle_updates(gdl.compile(f"{head}{setting}\n}}").program("schedule"))
        assert untamed(program, [source.value for source in sources(program)]) == [], setting


def test_a_gradient_that_comes_by_many_ways_is_asked_about_once() -> None:
    """Each of forty sums of a layer and its input doubles the ways that lead to the first."""
    text = f"""{ENDS}
block v -> beside() {{
  (v -> linear(4) -> layer_norm) + v
}}
s = x -> repeat 40 {{ beside() }} -> linear(3)
{LOSS}"""
    program = settle_updates(gdl.compile(text).program("schedule"))
    assert untamed(program, [source.value for source in sources(program)]) == []
