"""What is sampled: as reading the whole text again for each token, from the right output."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import UsageError
from graphdl.network.along_time import reading
from graphdl.network.sampling import _drawn

TEXT = "the cat sat on the mat\nthe dog sat on the cat\n" * 20
HEAD = "input words[T]: int(12)\ntarget following[T]: int(12)\ne = words -> embedding(6)\n"
TAIL = """
loss = scores -> cross_entropy(following)
train {
  data      = text("a.txt")
  optimizer = adam(lr = 0.02)
  batch     = 4
  window    = 6
  epochs    = 2
}
"""
P = "\noutput p = scores -> softmax"


def trained(body: str, folder: Path) -> gdl.Network:
    (folder / "a.txt").write_text(TEXT, "utf-8")
    path = folder / "model.gdl"
    path.write_text(HEAD + body + TAIL, "utf-8")
    net = gdl.compile(path, seed=3, dtype="float64")
    net.fit()
    return net


def greedy(net: gdl.Network, prime: str, n: int) -> str:
    """Every token by reading all of the text before it."""
    words = net.vocabularies["words"]
    ids = [int(i) for i in words.encode(prime)]
    for _ in range(n):
        scores = net(words=np.array([ids]))["p"][0, -1, : len(words)]
        ids.append(int(scores.argmax()))
    return words.decode(ids)


# What looks along time, and whether its states are all that a step needs.
BODIES = {
    "scores = e -> lstm(9) -> linear(12)": True,
    "scores = e -> repeat 2 { gru(7) } -> layer_norm -> linear(12)": True,
    "h = e -> rnn(6)\nscores = (h, e) -> concat -> dropout(0.1) -> linear(12)": True,
    "scores = e -> conv1d(8, 1) -> rnn(8) -> heads_first(2) -> heads_last -> linear(12)": True,
    "scores = e -> conv1d(8, 4, pad = 3) -> slice(0, 0, T) -> rnn(8) -> linear(12)": False,
    "scores = e -> rnn(8) -> conv1d(12, 2, pad = 1) -> slice(0, 0, T)": False,
    "scores = (e @ transpose(e) -> softmax) @ e -> gru(6) -> linear(12)": False,
    "scores = e -> add_positions(40) -> rnn(6) -> linear(12)": False,
    "m = e -> mean_over_time -> hold\nh = (e, m) -> scan { concat -> rnn_step(6) }\n"
    "scores = h -> linear(12)": False,
    "scores = (e -> lstm(6)) / T -> linear(12)": False,
    "scores = e -> transpose -> window_max(3, 1, 1) -> transpose -> rnn(6) -> linear(12)": False,
    "scores = reshape(transpose(reshape(e, [6, T])), [T, 6]) -> rnn(6) -> linear(12)": False,
}


@pytest.mark.parametrize(("body", "stepwise"), BODIES.items())
def test_greedy_sampling_is_greedy_decoding(body: str, stepwise: bool, tmp_path: Path) -> None:
    net = trained(body + P, tmp_path)
    how = reading(net.program(), "p", net.graph.inputs["words"].shape[0])
    assert (how.recurrent, how.stepwise, how.backwards) == (True, stepwise, False)
    assert net.sample(20, prime="the cat", temperature=0) == greedy(net, "the cat", 20)


def test_positions_bound_what_is_read_again(tmp_path: Path) -> None:
    net = trained("scores = e -> add_positions(9) -> rnn(6) -> linear(12)" + P, tmp_path)
    assert len(net.sample(30, prime="the cat").split()) > 9


RECURRENT = "scores = e -> rnn(9) -> linear(12)\n"
PROBABILITIES = {
    "softmax": "output p = scores -> softmax",
    "scores": "output p = scores",
    "logarithms": "output p = scores -> log_softmax",
    "their exp": "output p = exp(scores -> log_softmax)",
    "a mean": "output p = 0.5 * softmax(scores) + 0.5 * exp(scores -> log_softmax)",
    "a state as wide": "hid = e -> rnn(12)\noutput o = hid\noutput p = scores -> softmax",
    "a wider state": "hid = e -> rnn(14)\noutput o = hid\noutput p = scores -> softmax",
    "scores first": "output o = scores\noutput p = scores -> softmax",
}


def test_probabilities_are_known_by_what_they_are(tmp_path: Path) -> None:
    texts: dict[str, str] = {}
    net = trained(RECURRENT, tmp_path)
    for what, output in PROBABILITIES.items():
        path = tmp_path / "model.gdl"
        path.write_text(HEAD + RECURRENT + output + TAIL, "utf-8")
        other = gdl.compile(path, seed=3, dtype="float64")
        for name in net.weights:
            other[name] = net[name]
        other.vocabularies = net.vocabularies
        texts[what] = other.sample(25, prime="the", seed=7)
    assert set(texts.values()) == {texts["softmax"]}


REFUSED = {
    "no output of words": (
        "scores = e -> linear(12)\noutput h = e",
        r"scores for the next token, \[T, 12\]",
    ),
    "a wider output": ("scores = e -> linear(12)\noutput h = e -> linear(13)", r"\[T, 12\]"),
    "two of them": (
        "scores = e -> linear(12)\noutput h = e -> linear(12)\noutput o = scores",
        "whether `h` or `o` scores the next token is not clear",
    ),
    "backwards": (
        "b = e -> reverse -> rnn(6) -> reverse\nscores = (e, b) -> concat -> linear(12)" + P,
        "this model reads backwards and cannot write on",
    ),
}


def test_a_padded_text_is_not_read_backwards_either(tmp_path: Path) -> None:
    body = REFUSED["backwards"][0]
    net = trained(body, tmp_path)
    path = tmp_path / "model.gdl"
    path.write_text(path.read_text("utf-8").replace("int(12)\ntarget", "int(12, pad = 0)\ntarget"))
    padded = gdl.compile(path, seed=3)
    padded.vocabularies = net.vocabularies
    with pytest.raises(UsageError, match="this model reads backwards and cannot write on"):
        padded.sample(3)


@pytest.mark.parametrize(("body", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_sampled(body: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        trained(body, tmp_path).sample(3)


def test_what_is_not_sampled_may_read_backwards(tmp_path: Path) -> None:
    other = "\noutput back = e -> reverse -> rnn(6) -> reverse"
    net = trained(RECURRENT + P + other, tmp_path)
    assert net.sample(8, prime="the", temperature=0) == greedy(net, "the", 8)


def test_odd_arguments_warn_of_nothing(tmp_path: Path) -> None:
    net = trained(RECURRENT + P, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        likeliest = net.sample(9, prime="the", temperature=0)
        assert net.sample(9, prime="the", temperature=1e-320) == likeliest
        assert net.sample(9, prime="the", seed=2**64 - 1).startswith("the ")
        assert net.sample(9, prime="the", top_k=10**9) == net.sample(9, prime="the")


@pytest.mark.parametrize("k", [1, 2, 3])
def test_of_equal_scores_exactly_k_are_drawn_from(k: int) -> None:
    random = np.random.default_rng(0)
    scores = np.array([-1.0, 2.0, 2.0, 2.0, 2.0])
    assert {_drawn(scores, random, 1.0, k) for _ in range(200)} == set(range(1, k + 1))
