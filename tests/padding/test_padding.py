"""What a model makes of a sentence does not depend on how far its batch is padded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphdl
from graphdl.backends import Executable, Store
from graphdl.backends.transfer import host
from graphdl.errors import DataError, ModelError

LENGTHS = (7, 3, 5, 2)
FURTHER = 4  # padding behind the longest of them
HEAD = "input words[T]: int(50, pad = 0)\ne = words -> embedding(6)\n"

ATTENTION = """
block (x, memory) -> attend(n) {
  state h[n]
  best = memory @ (h -> linear(6))
  next h = x + (softmax(best) @ memory -> linear(n)) -> tanh
  next h
}
output y = (e, e -> hold) -> scan { attend(6) } -> last
"""

BODIES = [
    "output y = e -> mean_over_time",
    "output y = e -> max_over_time",
    "output y = e -> last",
    "output y = e -> reverse",
    "output y = sum(e, 0)",
    "output y = mean(e, [0, 1])",
    "output y = amin(e, 0)",
    "output y = argmax(e, 0) -> number",
    "output y = sum(positions(e), 0) -> number",
    "output y = argmax(number(positions(e))) -> number",
    "output y = sum(e * mask(e), 0)",
    "output y = sum(mask(e), [0, 1])",
    "output y = mean(transpose(e), 1)",
    "output y = reverse(transpose(e), 1)",
    "output y = e -> conv1d(4, 3, pad = same) -> relu -> conv1d(5, 3, pad = 2) -> max_over_time",
    "output y = e -> conv1d(4, 2) -> reverse",
    "output y = e -> conv1d(4, 2, stride = 2, pad = 1) -> mean_over_time",
    "output y = e -> transpose -> window_max(2) -> transpose -> max_over_time",
    "output y = e -> transpose -> window_max(3, pad = 1) -> transpose -> mean_over_time",
    "output y = e -> transpose -> window_mean(3, 1, 1) -> transpose -> max_over_time",
    "output y = slice(e, 0, 0, size(e, 0) - 1) + slice(e, 0, 1, size(e, 0)) -> max_over_time",
    "output y = slice(e, 0, 0, T) -> slice(0, 1, T) -> mean_over_time",
    "output y = e -> reverse -> slice(0, 0, 2) -> reverse",
    "output y = sum(e, 0) / T",
    "output y = sum(e -> conv1d(4, 2), 0) / size(e, 0)",
    "output y = sum(e * (2 * T * T - T // 2 + T % 3 - 7), 0) / count(e)",
    "output y = e / max(T, 4) -> rnn(3) -> last",
    "output y = (e -> conv1d(4, 2)) * size(e -> conv1d(4, 2), 0)",
    "output y = e -> lstm(5) -> last",
    "output y = e -> reverse -> gru(5) -> reverse",
    "output y = (e @ transpose(e) -> softmax) @ e",
    "output y = softmax(e @ transpose(e))",
    "output y = log_softmax(e, 0) -> last",
    "weight s[6]\noutput y = (e @ s -> softmax) @ e",
    "output y = e -> heads_first(2) -> heads_last -> mean_over_time",
    "output y = e -> layer_norm -> add_positions -> mean_over_time",
    "output y = ((e -> mean_over_time -> hold), e) -> scan { concat -> linear(3) } -> last",
    ATTENTION,
]


def sentences() -> np.ndarray[Any, Any]:
    random = np.random.default_rng(0)
    words = np.zeros((len(LENGTHS), max(LENGTHS) + FURTHER), np.int64)
    for row, length in zip(words, LENGTHS, strict=True):
        row[:length] = random.integers(1, 50, length)
    return words


@pytest.mark.parametrize("body", BODIES)
def test_a_sentence_alone_gives_what_it_gives_in_a_batch(body: str) -> None:
    net = graphdl.compile(HEAD + body, seed=1, dtype="float64")
    words = sentences()
    together = net(words=words)["y"]
    for row, length in enumerate(LENGTHS):
        alone = net(words=words[row : row + 1, :length])["y"][0]
        real = together[row][tuple(slice(0, size) for size in alone.shape)]
        assert np.allclose(real, alone, rtol=0, atol=1e-12)


TAGGER = (
    HEAD
    + """
target tag[T]: int(4)
ahead = e -> lstm(5)
back  = e -> reverse -> lstm(5) -> reverse
both  = (ahead, back) -> concat -> conv1d(5, 3, pad = 1) -> batch_norm
logits = (both @ transpose(both) -> softmax) @ both -> linear(4)
output p = logits -> softmax
loss   = logits -> cross_entropy(tag)
metric = logits -> accuracy(tag)
metric = logits -> perplexity(tag)
"""
)


def test_loss_metrics_and_gradients_leave_padding_out() -> None:
    net = graphdl.compile(TAGGER, seed=1, dtype="float64")
    words = sentences()
    tags = np.random.default_rng(1).integers(0, 4, words.shape)
    further = np.pad(words, ((0, 0), (0, 5)))
    other = np.pad(tags, ((0, 0), (0, 5)), constant_values=3)
    first = net.evaluate(words=words, tag=tags)
    second = net.evaluate(words=further, tag=other)
    assert first == pytest.approx(second, abs=1e-12)
    ours = net.gradients(words=words, tag=tags)
    theirs = net.gradients(words=further, tag=other)
    for name, gradient in ours.items():
        assert np.allclose(gradient, theirs[name], rtol=0, atol=1e-12), name


def test_a_mean_over_steps_is_a_mean_over_real_steps() -> None:
    net = graphdl.compile(TAGGER, seed=1, dtype="float64")
    words = sentences()
    tags = np.random.default_rng(1).integers(0, 4, words.shape)
    p = net(words=words)["p"]
    real = np.arange(words.shape[1]) < np.array(LENGTHS)[:, None]
    picked = np.take_along_axis(p, tags[..., None], -1)[..., 0]
    loss = -np.log(picked[real]).mean()
    right = (p.argmax(-1) == tags)[real].mean()
    found = net.evaluate(words=words, tag=tags)
    assert found["loss"] == pytest.approx(loss, abs=1e-12)
    assert found["accuracy"] == pytest.approx(right, abs=1e-12)
    assert found["perplexity"] == pytest.approx(np.exp(loss), abs=1e-11)


def test_gradients_through_padding_are_proved() -> None:
    net = graphdl.compile(TAGGER, seed=1, dtype="float64")
    words = sentences()
    tags = np.random.default_rng(1).integers(0, 4, words.shape)
    assert net.gradcheck(data={"words": words, "tag": tags}, samples=12)


def test_padding_within_a_sentence_is_a_word_like_others() -> None:
    net = graphdl.compile(HEAD + "output y = sum(mask(e), [0, 1])", seed=1)
    assert net(words=[[3, 0, 0, 4, 0]])["y"].tolist() == [4.0]


def test_a_sentence_of_padding_alone_has_one_step() -> None:
    net = graphdl.compile(HEAD + "output y = e -> mean_over_time", seed=1)
    assert np.array_equal(net(words=[[0, 0, 0]])["y"], net["e.embedding.weight"][:1])


REFUSED = [
    ("output y = (e, e) -> concat(axis = 0)", "E0403", "only the last part may end in it"),
    ("output y = sum(reshape(e, [size(e, 0) * 6]))", "E0408", "cannot be told"),
    ("output y = e -> slice(0, T // 2, T) -> last", "E0408", "not of each"),
    ("output y = slice(e, 0, T - 1, T)", "E0408", "write `-> last` for the last step"),
    (
        "output y = slice(e, 0, T - 3, T)",
        "E0408",
        "write `-> reverse -> slice(0, 0, 3) -> reverse` for the last 3 steps",
    ),
    (
        "output y = e -> conv1d(4, 3) -> slice(0, T - 4, T - 3)",
        "E0408",
        "begin at a number, or write `-> last` for the last step",
    ),
    ("input more[T]: int(9, pad = 0)\noutput y = more -> embedding(2)", "E0407", "`words`"),
]


@pytest.mark.parametrize(("body", "code", "says"), REFUSED)
def test_what_would_mix_padding_in_is_refused(body: str, code: str, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        graphdl.compile(HEAD + body)
    assert caught.value.diagnostics[0].code == code
    assert says in str(caught.value)


SHORT = ["last", "mean_over_time", "max_over_time"]


@pytest.mark.parametrize("end", SHORT)
def test_a_sentence_that_is_too_short_has_one_step_beside_a_longer_one(end: str) -> None:
    net = graphdl.compile(HEAD + f"output y = e -> conv1d(4, 3) -> {end}", seed=1, dtype="float64")
    with pytest.raises(DataError, match=f"T = 2 is too short for `y.{end}`"):
        net(words=[[4, 5]])
    beside = net(words=[[4, 5], [6, 7, 8, 9]])["y"][0]
    e = np.concatenate([net["e.embedding.weight"][[4, 5]], np.zeros((1, 6))])
    by_hand = np.einsum("td,odt->o", e, net["y.conv1d.weight"]) + net["y.conv1d.bias"]
    assert np.allclose(beside, by_hand, rtol=0, atol=1e-12)


def test_running_averages_of_images_leave_padding_out() -> None:
    text = HEAD + "target z\nh = reshape(e, [1, T, 6]) -> conv(2, 3, pad = 1) -> batch_norm\n"
    text += "loss = mse(mean(h), z)"
    words, found = sentences(), []
    for further in (0, 5):
        net = graphdl.compile(text, seed=1, dtype="float64")
        net.step(words=np.pad(words, ((0, 0), (0, further))), z=np.ones(len(words)))
        found.append(np.concatenate([net["h.batch_norm.average"], net["h.batch_norm.spread"]]))
    assert np.allclose(found[0], found[1], rtol=0, atol=1e-12)


def test_without_padding_nothing_is_masked() -> None:
    plain = HEAD.replace(", pad = 0", "")
    text = str(graphdl.program.text(graphdl.compile(plain + BODIES[0]).program()))
    assert "select" not in text


def after_a_step(xp: Any, dtype: str) -> dict[str, Any]:
    """Loss and weights after one step of the tagger; its table is updated by rows."""
    text = TAGGER.replace("int(50, pad = 0)", "int(4000, pad = 0)")
    net = graphdl.compile(text + "train { optimizer = sgd(lr = 0.5) }\n", dtype=dtype, seed=4)
    program = net.program("schedule")
    assert "put_rows" in graphdl.program.text(program)
    store = Store(xp)
    for name, value in {**net.state()}.items():
        key = name.partition("/")[2] if name[:2] in ("w/", "r/") else name
        store[key] = xp.asarray(np.array(value))
    tags = np.random.default_rng(1).integers(0, 4, sentences().shape)
    known = {"lr": 0.5, "seed": 1, "draw": 2, "step": 1, "group": 1}
    scalars = {i.key: known[i.key] for i in program.inputs if i.role == "scalar"}
    data = {"words": sentences(), "tag": tags}
    found = Executable(program, xp, dtype).run(store, data, scalars)
    return {name: host(array) for name, array in {**found, **store}.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_another_array_module_gives_the_same(dtype: str, standin: Any) -> None:
    ours, theirs = after_a_step(np, dtype), after_a_step(standin, dtype)
    for name, value in ours.items():
        assert np.abs(value - theirs[name]).max() < (1e-5 if dtype == "float32" else 1e-13), name


ONE_BY_ONE = """
input w[T]: int(20)
target y: int(3)
h = w -> embedding(4) -> rnn(5)
scores = h -> last -> linear(3)
output o = scores -> softmax
output steps = h
loss = scores -> cross_entropy(y)
train {
  batch  = 1
  epochs = 1
}
"""


def test_sequences_that_nothing_fills_up_are_run_one_by_one() -> None:
    random = np.random.default_rng(0)
    rows = [random.integers(1, 20, n).tolist() for n in (9, 3, 5, 4)]
    y = [0, 1, 2, 0]
    net = graphdl.compile(ONE_BY_ONE, seed=1, dtype="float64")
    history = net.fit(w=rows, y=y, validation={"w": rows, "y": y})
    found = net.predict(w=rows, batch=1)
    by_hand = np.concatenate([net(w=[row])["o"] for row in rows])
    assert np.array_equal(found, by_hand)
    loss = -np.log(by_hand[range(4), y]).mean()
    for measured in (net.evaluate(w=rows, y=y), net.evaluate(w=rows, y=y, batch=1)):
        assert measured["loss"] == pytest.approx(loss, abs=1e-12)
    assert history[-1]["validation_loss"] == pytest.approx(loss, abs=1e-12)
    for run in (lambda: net.evaluate(w=rows, y=y, batch=2), lambda: net.predict(w=rows)):
        with pytest.raises(DataError, match=r"from 3 to \d+: .* take them one by one: `batch = 1`"):
            run()
    with pytest.raises(DataError, match="`steps` differs in length from sequence to sequence"):
        net.predict(w=rows, batch=1, output="steps")


def test_a_mean_over_batches_counts_real_steps() -> None:
    """Batches of unlike lengths, weighed by their real steps, give the mean over all of them."""
    net = graphdl.compile(TAGGER, seed=1, dtype="float64")
    random = np.random.default_rng(0)
    lengths = random.integers(1, 30, 150)
    words = [random.integers(1, 50, n).tolist() for n in lengths]
    tags = [random.integers(0, 4, n).tolist() for n in lengths]
    found = net.evaluate(words=words, tag=tags, batch=100)
    total = sum(
        net.evaluate_batch({"words": np.array([w]), "tag": np.array([t])})["loss"] * len(w)
        for w, t in zip(words, tags, strict=True)
    )
    assert found["loss"] == pytest.approx(total / lengths.sum(), rel=1e-12)
    width = int(lengths.max())
    padded = np.array([w + [0] * (width - len(w)) for w in words])
    filled = np.array([t + [3] * (width - len(t)) for t in tags])
    again = net.evaluate(words=padded, tag=filled, batch=100)
    assert again == pytest.approx(found, rel=1e-12)
