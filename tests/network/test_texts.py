"""Texts given from Python are read as training read them, wherever arrays go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import DataError
from graphdl.graph import Named

MODEL = """
input  words[T]: int(20, pad = 0)
target label: int(2)
scores = words -> embedding(4) -> mean_over_time -> linear(2)
output p = scores -> softmax
loss   = scores -> cross_entropy(label)
train { data = DATA
  epochs = 2
}
"""
FILE = b"neg\tI hate this\npos\tI love you so very much\nneg\tyou hate me\npos\tlove this\n"
TEXTS = ["I love you", "you  hate\tthis", "", "I adore you", "love " * 9]


def trained(folder: Path, data: str = 'lines("a")', model: str = MODEL) -> gdl.Network:
    (folder / "a").write_bytes(FILE)
    path = folder / "model.gdl"
    path.write_text(model.replace("DATA", data), "utf-8")
    net = gdl.compile(path, seed=1)
    net.fit()
    return net


def series(values: Any) -> Any:
    """A column of a table: objects, found by a protocol."""

    class Column:
        dtype = np.dtype(object)

        def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
            return np.array(values, object)

        def __len__(self) -> int:
            return len(values)

    return Column()


FORMS: list[Callable[[list[str]], Any]] = [
    list,
    tuple,
    np.array,
    lambda texts: np.array(texts, object),
    lambda texts: np.array(texts, np.dtypes.StringDType()),
    series,
]


def everything(net: gdl.Network, words: Any, label: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "call": net(words=words)["p"],
        "by place": net(words)["p"],
        "predict": net.predict(words=words),
        "loss": net.loss(words=words, label=label),
        "evaluate": net.evaluate(words=words, label=label)["loss"],
    }
    found |= net.gradients(words=words, label=label)
    found["step"] = net.step(words=words, label=label, lr=0.5)
    found["fit"] = net.fit(
        words=words, label=label, validation={"words": words, "label": label}, epochs=2
    )["loss"]
    return found


@pytest.mark.parametrize("form", FORMS)
def test_texts_are_their_ids(form: Callable[[list[str]], Any], tmp_path: Path) -> None:
    net = trained(tmp_path)
    words = net.vocabularies["words"].ids
    rows = [[words.get(word, words["<unk>"]) for word in text.split()] for text in TEXTS]
    rows[2] = [words["<unk>"]]
    labels = [1, 0, 0, 1, 1]
    net.save(tmp_path / "n.safetensors")
    found = everything(gdl.load(tmp_path / "n.safetensors"), form(TEXTS), labels)
    expected = everything(gdl.load(tmp_path / "n.safetensors"), rows, labels)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, name)


def test_as_a_file_to_predict(tmp_path: Path) -> None:
    net = trained(tmp_path, 'lines("a", longest = 4, lower = true)')
    (tmp_path / "b").write_text("".join("neg\t" + text.replace("\t", " ") + "\n" for text in TEXTS))
    whole = net.dataset(data=Named("lines", ("b",), {"longest": 4, "lower": True}))
    rows = whole.train.fields["words"].padded(0)
    np.testing.assert_array_equal(net.predict(words=TEXTS), net.predict(words=rows))


def test_letters(tmp_path: Path) -> None:
    net = trained(tmp_path, 'lines("a", level = "character")')
    letters = net.vocabularies["words"].ids
    rows = [[letters[letter] for letter in text] for text in ("love you", "hate")]
    np.testing.assert_array_equal(net.predict(words=["love you", "hate"]), net.predict(words=rows))


def test_tags_are_words_too(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"a b\tX Y\nb a\tY X\n")
    model = MODEL.replace("label", "tag[T]").replace("tag[T])", "tag)")
    model = model.replace(" -> mean_over_time", "")
    net = trained(tmp_path, 'lines("t", columns = ["text", "tags"], tag = "tags")', model)
    ids = {"words": [[1, 2], [2, 1]], "tag": [[0, 1], [1, 0]]}
    words, tags = net.vocabularies["words"].ids, net.vocabularies["tag"].ids
    ids = {"words": [[words["a"], words["b"]]], "tag": [[tags["X"], tags["Y"]]]}
    assert net.loss(words=["a b"], tag=["X Y"]) == net.loss(**ids)
    with pytest.raises(DataError, match="`tag`, row 1: `Z` is not among the 2 words of the"):
        net.loss(words=["a b", "a"], tag=["X Y", "Z"])


WRONG: list[tuple[Any, str]] = [
    ("I love you", "`words` is the text `I love you`, an array"),
    ([["I", "love"]], "`words` is [1, 2] texts: give one for each"),
    (["I", 3], "`words`, row 1: is `3`, others are texts"),
    (["I", None], "`words`, row 1: is None, a text is needed"),
]


@pytest.mark.parametrize(("words", "says"), WRONG)
def test_what_is_no_text(words: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        trained(tmp_path).predict(words=words)
    assert says in str(caught.value)


@pytest.mark.parametrize("way", ["__call__", "predict", "loss", "evaluate", "step", "gradients"])
def test_without_words_there_are_no_texts(way: str) -> None:
    net = gdl.compile(MODEL.partition("train")[0])
    more = {} if way in ("__call__", "predict") else {"label": [0]}
    with pytest.raises(DataError) as caught:
        getattr(net, way)(words=["I love you"], **more)
    assert str(caught.value) == (
        "`words` holds texts such as `I love you`, and which words its ids stand for is not "
        "known: give ids, or train on `lines(...)` or `text(...)`"
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ('lines("a", level = "character")', '`level = "character"` is asked for, and the words'),
        ('lines("a", lower = true)', "read with `lower = false`: leave it out"),
        ('lines("a", unknown = "?")', 'read with `unknown = "<unk>"`: leave it out'),
        ('lines("a", level = "word", lower = false, unknown = "<unk>", minimum = 2)', ""),
    ],
)
def test_other_words_than_those_of_the_training(data: str, says: str, tmp_path: Path) -> None:
    net = trained(tmp_path)
    source = gdl.compile(MODEL.replace("DATA", data)).graph.settings["data"].value
    if not says:
        assert len(net.dataset(data=source).train) == 4
        return
    with pytest.raises(DataError) as caught:
        net.dataset(data=source)
    assert says in str(caught.value)
