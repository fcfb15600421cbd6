"""A language model from text to text: windows, vocabulary in the checkpoint, sampling, resuming."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import DataError, GdlError, UsageError

TEXT = "the cat sat on the mat\nthe dog sat on the cat\n" * 30
MODEL = """
param level = "word"
input  words[T]: int(12)
target following[T]: int(12)
scores = words -> embedding(8) -> {layers} -> linear(12)
output p = scores -> softmax
loss     = scores -> cross_entropy(following)
metric   = scores -> perplexity(following)
train {{
  data        = text("a.txt", validation = 0.2, level = level)
  optimizer   = adam(lr = 0.02)
  batch       = 4
  window      = 5
  carry_state = {carry}
  epochs      = {epochs}
}}
"""


def model(
    folder: Path, layers: str = "lstm(12)", carry: str = "true", epochs: int = 6, **params: Any
) -> gdl.Network:
    (folder / "a.txt").write_text(TEXT, "utf-8")
    path = folder / "model.gdl"
    path.write_text(MODEL.format(layers=layers, carry=carry, epochs=epochs), "utf-8")
    return gdl.compile(path, seed=2, **params)


@pytest.mark.parametrize("carry", ["true", "false", "training", "evaluation"])
def test_it_learns_the_text(carry: str, tmp_path: Path) -> None:
    net = model(tmp_path, carry=carry)
    history = net.fit()
    assert history[-1]["validation_perplexity"] < 2.5 < history[0]["validation_perplexity"]
    assert "tokens_per_second" in history[-1]
    found = net.evaluate(split="validation")
    best = history.best_epoch
    assert best is not None
    assert found["loss"] == pytest.approx(history[best - 1]["validation_loss"], rel=1e-5)


def test_evaluation_reads_the_text_as_one_sequence(tmp_path: Path) -> None:
    net = model(tmp_path, epochs=1)
    net.fit()
    data = net.dataset()
    assert data.validation is not None
    whole = {n: np.asarray(v)[None] for n, v in data.validation.fields.items()}
    alone = net.evaluate_batch({n: v.astype(np.int64) for n, v in whole.items()})
    found = net.evaluate(data, split="validation")
    assert found["loss"] == pytest.approx(alone["loss"], rel=1e-5)
    assert found["perplexity"] == pytest.approx(np.exp(alone["loss"]), rel=1e-4)


def test_the_checkpoint_is_all_that_sampling_needs(tmp_path: Path) -> None:
    net = model(tmp_path)
    net.fit()
    net.save(tmp_path / "lm.safetensors")
    (tmp_path / "a.txt").unlink()
    again = gdl.load(tmp_path / "lm.safetensors")
    assert again.vocabularies["words"] == net.vocabularies["words"]
    text = again.sample(12, prime="the", seed=4)
    assert text == net.sample(12, prime="the", seed=4)
    assert text.startswith("the ")
    assert set(text.split()) <= set(TEXT.split())
    assert again.sample(12, prime="the", temperature=0) == again.sample(12, prime="the", top_k=1)
    assert again.sample(0, prime="the cat") == "the cat"
    assert len(again.sample(9, seed=1).split()) <= 9


def test_what_is_sampled_is_what_is_predicted(tmp_path: Path) -> None:
    net = model(tmp_path)
    net.fit()
    words = net.vocabularies["words"]
    text = net.sample(15, prime="the", temperature=0)
    ids = words.encode(text)
    p = net(words=ids[None])["p"][0]
    p[:, len(words) :] = 0
    assert p[:-1].argmax(-1).tolist() == ids[1:].tolist()


@pytest.mark.parametrize(
    "layers", ["conv1d(12, 1) -> relu", "repeat 2 { rnn(8) }", "scan { gru_step(9) }"]
)
def test_sampling_from_other_models(layers: str, tmp_path: Path) -> None:
    net = model(tmp_path, layers, carry="false", epochs=1)
    net.fit()
    assert len(net.sample(10, prime="the cat").split()) > 2


def test_letters(tmp_path: Path) -> None:
    net = model(tmp_path, epochs=1, level="character")
    net.fit()
    text = net.sample(20, prime="the ")
    assert len(text) == 24
    assert text.startswith("the ")


MISUSED = {
    "a word it does not know": ({"prime": "zebra"}, "`zebra` is not among the"),
    "a count": ({"n": -1}, "n is a number of tokens from 0, not -1"),
    "half a token": ({"n": 2.5}, "n is a number of tokens from 0, not 2.5"),
    "a count as a text": ({"n": "5"}, "n is a number of tokens from 0, not '5'"),
    "a temperature": ({"temperature": -0.5}, "temperature is a finite number from 0, not -0.5"),
    "no end of heat": ({"temperature": float("inf")}, "is a finite number from 0, not inf"),
    "not a temperature": ({"temperature": float("nan")}, "is a finite number from 0, not nan"),
    "a warm word": ({"temperature": "x"}, "temperature is a finite number from 0, not 'x'"),
    "so many": ({"top_k": 0}, "top_k is a number of tokens from 1, not 0"),
    "so many and a half": ({"top_k": 2.5}, "top_k is a number of tokens from 1, not 2.5"),
    "no prime": ({"prime": None}, 'prime is a text, such as "the cat", not None'),
    "a list as prime": ({"prime": ["the"]}, "not ['the']"),
    "half a seed": ({"seed": 1.5}, "seed is a whole number from 0 to 2^64 - 1, not 1.5"),
    "a seed below 0": ({"seed": -1}, "seed is a whole number from 0 to 2^64 - 1, not -1"),
    "too large a seed": ({"seed": 2**64}, "not 18446744073709551616"),
}


@pytest.mark.parametrize(("given", "says"), MISUSED.values(), ids=MISUSED)
def test_misused_sampling(given: dict[str, Any], says: str, tmp_path: Path) -> None:
    net = model(tmp_path, epochs=1)
    net.fit()
    with pytest.raises(GdlError) as caught:
        net.sample(**given)
    assert says in str(caught.value)


def test_models_that_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a model whose only input is a text"):
        gdl.compile("digits").sample()
    with pytest.raises(UsageError, match="which words the ids of `words` are is not known"):
        model(tmp_path).sample()


def test_resuming_within_an_epoch_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole = model(tmp_path)
    whole.fit(folder=tmp_path / "whole", epochs=3)

    class Stop:
        """Interrupts in the middle of the second epoch."""

        seen = 0

        def __getattr__(self, _: str) -> Any:
            return lambda *_, **__: None

        def batch(self, *_: Any) -> None:
            self.seen += 1
            if self.seen == 23:
                raise KeyboardInterrupt

    half = model(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        half.fit(folder=tmp_path / "half", epochs=3, save_every=5, reporter=Stop())
    last = tmp_path / "half" / "model-1"
    again = gdl.load(last / "last.safetensors")
    again.fit(resume=last, epochs=3, data_dir=tmp_path)
    for name, weight in whole.weights.items():
        assert np.array_equal(weight, again[name]), name


def test_a_fresh_network_resumes_with_the_words_of_the_checkpoint(tmp_path: Path) -> None:
    model(tmp_path).fit(folder=tmp_path / "runs", epochs=1)
    again = model(tmp_path)
    # Other counts, so the text would give its words other ids now.
    (tmp_path / "a.txt").write_text("mat dog sat on the mat\n" * 60, "utf-8")
    last = tmp_path / "runs" / "model-1"
    again.fit(resume=last, epochs=2)
    known = gdl.load(last / "last.safetensors").vocabularies["words"]
    assert again.vocabularies["words"].words == known.words
    assert "cat" in known.words


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"window": None}, "a text is read in windows"),
        ({"batch": 5000}, "cannot be read in 5000 streams"),
        ({"window": 100_000, "carry_state": False}, "shorter than one window"),
    ],
)
def test_windows_that_cannot_be(settings: dict[str, Any], says: str, tmp_path: Path) -> None:
    net = model(tmp_path)
    if settings.get("window", 1) is None:
        path = tmp_path / "model.gdl"
        lines = path.read_text("utf-8").splitlines()
        kept = [line for line in lines if "window" not in line and "carry" not in line]
        path.write_text("\n".join(kept), "utf-8")
        net, settings = gdl.compile(path), {}
    with pytest.raises(UsageError, match=says):
        net.fit(**settings)


SERIES = """
input  x[T, 2]
target y[T]
h      = x -> rnn(5) -> linear(1)
loss   = mse(reshape(h, [T]), y)
train {
  window      = 4
  carry_state = true
  batch       = 3
}
"""


def test_windows_of_arrays() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(7, 10, 2))
    y = x.cumsum(1)[..., 0] * 0.1
    net = gdl.compile(SERIES, seed=1, dtype="float64")
    history = net.fit(x=x, y=y, epochs=30)
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    whole = net.evaluate_batch({"x": x, "y": y})["loss"]
    assert net.evaluate(x=x, y=y)["loss"] == pytest.approx(whole, abs=1e-12)
    cut = gdl.compile(SERIES.replace("carry_state = true", ""), seed=1, dtype="float64")
    for name in net.weights:
        cut[name] = net[name]
    assert cut.evaluate(x=x, y=y)["loss"] != pytest.approx(whole, abs=1e-6)


def test_windows_want_sequences_of_one_length() -> None:
    with pytest.raises(UsageError, match="as well"):
        gdl.compile(SERIES.replace("window      = 4", "")).fit(
            x=np.zeros((3, 4, 2)), y=np.zeros((3, 4))
        )
    plain = gdl.compile("input -> linear(2, 3) -> softmax -> nll")
    with pytest.raises(UsageError, match="`window` cuts sequences over time"):
        plain.fit(np.zeros((4, 2)), np.zeros(4, int), window=3)
    tagger = "input w[T]: int(9, pad = 0)\ntarget t[T]: int(3)\n"
    tagger += "loss = w -> embedding(3) -> cross_entropy(t)\n"
    with pytest.raises(UsageError, match="those of `w` differ: delete it"):
        gdl.compile(tagger).fit(w=[[1, 2], [3]], t=[[0, 1], [2]], window=2)


BROKEN: dict[str, Any] = {
    "no words": [{"of": ["words"], "words": [], "level": "word"}],
    "a number": 3,
    "no names": [{"words": ["a"], "level": "word"}],
}


@pytest.mark.parametrize("vocabularies", BROKEN.values(), ids=BROKEN)
def test_a_broken_vocabulary_in_a_checkpoint(vocabularies: Any, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    net = model(tmp_path, epochs=1)
    net.fit()
    path = tmp_path / "lm.safetensors"
    net.save(path)
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    description = json.loads(metadata["description"])
    metadata["description"] = json.dumps({**description, "vocabularies": vocabularies})
    save_file(load_file(path), path, metadata)
    with pytest.raises(DataError, match="vocabulary is broken"):
        gdl.load(path)
