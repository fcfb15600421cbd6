"""Writes what this version leaves behind, for later ones to read: `python write.py VERSION`.

For each shipped model its text, the checkpoints of a run that was stopped in the middle of an
epoch, and the figures: of the last one, and of the same run when nothing stops it. Run it with the
version to be kept; what is there is never written again.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
os.environ["GRAPHDL_BACKEND"] = "numpy"

from figures import DATA, StopsInside, figures, prediction  # type: ignore[import-not-found]

import graphdl as gdl
from graphdl.graph import Named
from graphdl.network.judging import settings_of_run

MNIST = {
    "batch": 4,
    "data": Named("mnist", (), {"image": "pixels", "digit": "label", "validation": 4}),
}
WORDS = {"batch": 4}
LM = {"batch": 2, "window": 4, "epochs": 2}

# name of the model, and what is special: parameters, settings
MODELS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "autoencoder": ({"code_size": 1}, {"batch": 8}),
    "bilstm_tagger": (
        {"words": 12, "tags": 3, "size": 4},
        {"data": Named("npz", ("tagged.npz",), {"test": 4}), "batch": 4},
    ),
    "char_lm": ({"letters": 20, "size": 5, "layers": 2}, {"window": 8, "batch": 2}),
    "cnn": ({"hidden": 1}, MNIST),
    "deep_sigmoid": ({"hidden": 4}, {"batch": 8}),
    "digits": (
        {"maps": 1},
        {"data": Named("digits", (), {"image": "pixels", "digit": "label", "limit": 40})},
    ),
    "gru_lm": ({"vocab": 20, "size": 4, "drop": 0.2}, LM),
    "hw2_cnn": ({"vocab": 16, "filters": 4}, {}),
    "kim_cnn": ({"vocab": 20, "dim": 4, "maps": 3}, WORDS),
    "logreg": ({}, {"batch": 8}),
    "lstm_cell": (
        {"features": 3, "size": 4},
        {"data": Named("npz", ("sequences.npz",), {"test": 4}), "batch": 4},
    ),
    "lstm_lm": ({"vocab": 20, "size": 4}, LM),
    "min_max_dag": ({}, {"data": Named("npz", ("ends.npz",), {})}),
    "mlp": ({"width": 2}, MNIST),
    "mlp-set": (
        {"width": 2},
        {
            **MNIST,
            "optimizer": Named("rmsprop", (), {"lr": 0.01}),
            "freeze": ["logits.linear#2"],
            "max_norm": {"logits.linear#3": 0.5},
        },
    ),
    "parametrised_cnn": ({"conv_kernel_size": 1, "stride_size": 2}, MNIST),
    "resnet": ({"maps": 4}, MNIST),
    "rnn_lm": ({"vocab": 20, "size": 4}, LM),
    "sentence_rnn": ({"vocab": 20, "dim": 4, "size": 4, "cell": "lstm"}, WORDS),
    "shared_51": (
        {"width": 4, "products": 5, "squash": True},
        {"data": Named("npz", ("vectors.npz",), {"test": 4}), "batch": 4},
    ),
    "siamese": ({}, {"batch": 8}),
    "siamese_text": (
        {"vocab": 20, "dim": 4, "size": 4},
        {
            "data": Named("lines", ("pairs.tsv",), {"columns": ["same", "left", "right"]}),
            "batch": 4,
        },
    ),
    "softmin": (
        {},
        {"data": Named("digits", (), {"image": "pixels", "digit": "label", "limit": 40})},
    ),
    "softsign": ({"hidden": 4}, {"batch": 8}),
    "transformer": ({"vocab": 20, "depth": 1, "width": 4, "heads": 2}, WORDS),
}


def write(name: str, folder: Path) -> None:
    """The folder of one model: model.gdl, last.safetensors, figures.json."""
    params, settings = MODELS[name]
    settings = {"epochs": 2, "seed": 3, **settings}
    text = (
        resources.files("graphdl.models").joinpath(f"{name.split('-')[0]}.gdl").read_text("utf-8")
    )
    folder.mkdir(parents=True)
    (folder / "model.gdl").write_text(text, "utf-8")
    net = gdl.compile(folder / "model.gdl", seed=3, **params)
    shapes = {n: list(w.shape) for n, w in net.weights.items()}
    told: dict[str, Any] = {"params": params, "weights": shapes}
    if not net.weights:
        told["untrained"] = prediction(net, settings["data"])
    else:
        told |= _trained(net, folder, settings)
    (folder / "figures.json").write_text(json.dumps(told, indent=1) + "\n")


def _trained(net: Any, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    reporter = StopsInside(lambda: os.kill(os.getpid(), signal.SIGINT))
    with tempfile.TemporaryDirectory() as runs:
        stopped = net.fit(data_dir=DATA, folder=runs, reporter=reporter, **settings)
        assert stopped.interrupted
        assert len(stopped) == 1
        # With validation a run ends with the best epoch's weights: they are in another file.
        names = ("last", "best") if "validation_loss" in stopped[0] else ("last",)
        for name in names:
            shutil.copy(stopped.folder / f"{name}.safetensors", folder)
    call = settings_of_run(net).data
    fresh = gdl.compile(folder / "model.gdl", seed=3, **net.params)
    whole = gdl.compile(folder / "model.gdl", seed=3, **net.params)
    history = whole.fit(data_dir=DATA, **settings)
    return {
        "untrained": prediction(fresh, call),
        "stopped": {**figures(net, call), "steps": net.steps, "draws": net.draws},
        "whole": {
            **figures(whole, call),
            "steps": whole.steps,
            "draws": whole.draws,
            "loss": history["loss"],
            "test": history.test,
        },
    }


def write_data() -> None:
    """The examples: small, made up, the same each time."""
    rng = np.random.default_rng(1)
    mnist = DATA / "mnist"
    mnist.mkdir(parents=True)
    for part, count in (("train", 20), ("t10k", 6)):
        digits = rng.integers(0, 10, count)
        images = np.zeros((count, 28, 28), np.uint8)
        for image, digit in zip(images, digits, strict=True):
            image[4 + digit : 10 + digit, 6:22] = 200
            image[4:24, 6 + digit : 9 + digit] = 255
        for kind, magic, array in (("images-idx3", 2051, images), ("labels-idx1", 2049, digits)):
            sizes = b"".join(int(n).to_bytes(4, "big") for n in (magic, *array.shape))
            path = mnist / f"{part}-{kind}-ubyte.gz"
            path.write_bytes(gzip.compress(sizes + array.astype(np.uint8).tobytes(), mtime=0))
    write_points(rng)
    write_texts(rng)
    write_arrays(rng)


def write_points(rng: np.random.Generator) -> None:
    """Two classes of points, as LIBSVM writes them."""
    folder = DATA / "fourclass"
    folder.mkdir()
    points = rng.uniform(-1, 1, (24, 2)).round(4)
    lines = [f"{'+1' if a * b > 0 else '-1'} 1:{a:g} 2:{b:g}" for a, b in points]
    (folder / "fourclass_scale").write_text("\n".join(lines) + "\n")


def write_texts(rng: np.random.Generator) -> None:
    """Sentences of a few words: for language models, with a class, in pairs."""
    words = ["the", "a", "cat", "dog", "bird", "sees", "likes", "fears", "old", "film", "good"]

    def sentence(least: int = 4, most: int = 9) -> str:
        return " ".join(rng.choice(words, rng.integers(least, most)))

    for name, lines in (("train", 14), ("valid", 4), ("test", 4)):
        path = DATA / "ptb" / f"ptb.{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f" {sentence()} \n" for _ in range(lines)))
    (DATA / "shakespeare").mkdir()
    (DATA / "shakespeare" / "input.txt").write_text("".join(f"{sentence()}\n" for _ in range(8)))
    (DATA / "hw2").mkdir()
    for name, lines in (("train", 12), ("dev", 5)):
        rows = "".join(f"{i}\t{i % 2}\t{sentence()}\n" for i in range(lines))
        (DATA / "hw2" / f"nlp21_hw2_{name}.txt").write_text(rows)
    (DATA / "rt-polarity").mkdir()
    for name, word in (("neg", "bad"), ("pos", "good")):
        rows = "".join(f"{sentence()} {word} caf\u00e9\n" for _ in range(11))
        (DATA / "rt-polarity" / f"rt-polarity.{name}").write_text(rows, "cp1252")
    pairs = "".join(f"{i % 2}\t{sentence()}\t{sentence()}\n" for i in range(12))
    (DATA / "pairs.tsv").write_text(pairs)


def write_arrays(rng: np.random.Generator) -> None:
    """Arrays by name."""
    words, tags = rng.integers(0, 12, (16, 5)), rng.integers(0, 3, (16, 5))
    np.savez_compressed(DATA / "tagged.npz", sentence=words, tag=tags)
    label = np.arange(16) % 2
    np.savez_compressed(
        DATA / "sequences.npz", x=rng.normal(size=(16, 6, 3)).astype("f4"), label=label
    )
    np.savez_compressed(
        DATA / "vectors.npz",
        x=rng.normal(size=(16, 4)).astype("f4"),
        t=rng.normal(size=(16, 4)).astype("f4"),
    )
    ends: dict[str, Any] = {name: rng.normal(size=6).astype("f4") for name in ("x1", "x2", "t")}
    np.savez_compressed(DATA / "ends.npz", **ends)
    images = (rng.random((24, 1, 8, 8)) < 0.3).astype("f4")
    np.savez_compressed(
        DATA / "digit_pairs.npz", left=images, right=images[::-1], same=np.arange(24) % 2
    )


if __name__ == "__main__":
    assert gdl.__version__ == sys.argv[1], gdl.__version__
    if not DATA.exists():
        write_data()
    for model in MODELS:
        write(model, Path(__file__).parent / sys.argv[1] / model)
        sys.stdout.write(f"{model}\n")
