"""Vocabularies: which words, in which order, and what survives the way through a checkpoint."""

from __future__ import annotations

from typing import Any

import pytest

from graphdl.data import Vocabulary
from graphdl.data.vocabulary import Wording
from graphdl.errors import DataError

COUNTS = {"b": 3, "a": 3, "c": 5, "d": 1, "e": 1}

MADE: dict[str, tuple[Wording, list[str], dict[str, Any]]] = {
    "by frequency, then alphabet": (Wording(), ["c", "a", "b", "d", "e"], {}),
    "a place for unknown words": (
        Wording(reserved=True),
        ["<unk>", "c", "a", "b", "d", "e"],
        {"unknown": 0},
    ),
    "rare words are unknown": (Wording(minimum=3), ["<unk>", "c", "a", "b"], {"unknown": 0}),
    "none is rare": (Wording(minimum=1), ["c", "a", "b", "d", "e"], {"unknown": None}),
    "the commonest fit": (Wording(most=3), ["<unk>", "c", "a"], {"unknown": 0}),
    "all fit": (Wording(most=5), ["c", "a", "b", "d", "e"], {"unknown": None}),
    "another word for unknown ones": (
        Wording(minimum=3, unknown="b"),
        ["c", "a", "b"],
        {"unknown": 2},
    ),
    "it survives the cut": (Wording(most=2, unknown="e"), ["e", "c"], {"unknown": 0}),
    "padding takes an id": (Wording(pad=0, most=3), ["<pad>", "<unk>", "c"], {"pad": 0}),
    "padding in the middle": (Wording(pad=2), ["c", "a", "<pad>", "b", "d", "e"], {"pad": 2}),
    "padding behind the words": (Wording(pad=9), ["c", "a", "b", "d", "e"], {"pad": 9}),
}


@pytest.mark.parametrize(("wording", "words", "about"), MADE.values(), ids=MADE)
def test_made(wording: Wording, words: list[str], about: dict[str, Any]) -> None:
    found = wording.vocabulary(COUNTS)
    assert list(found.words) == words
    for name, value in about.items():
        assert getattr(found, name) == value


WORDS = Vocabulary(("<eos>", "the", "cat", "<unk>"), unknown=3, end=0)
LETTERS = Vocabulary(("a", "b", "\n", " "), level="character")
SMALL = Vocabulary(("<unk>", "the"), unknown=0, lower=True)


@pytest.mark.parametrize(
    ("words", "text", "ids", "back"),
    [
        (WORDS, "the cat\nthe", [1, 2, 0, 1], "the cat\nthe"),
        (WORDS, "  the   dog ", [1, 3], "the <unk>"),
        (WORDS, "", [], ""),
        (LETTERS, "ab a\nb", [0, 1, 3, 0, 2, 1], "ab a\nb"),
        (SMALL, "THE End", [1, 0], "the <unk>"),
        (Vocabulary(("the",)), "the\nthe", [0, 0], "the the"),
    ],
)
def test_there_and_back(words: Vocabulary, text: str, ids: list[int], back: str) -> None:
    assert words.encode(text).tolist() == ids
    assert words.decode(ids) == back
    assert Vocabulary.from_json(words.to_json()) == words


def test_an_unknown_word_without_a_place_for_it() -> None:
    with pytest.raises(DataError, match="`z` is not among the 4 words that are known"):
        LETTERS.encode("z")


BROKEN = {
    "no words": {"words": []},
    "no list": {"words": "the cat"},
    "no texts": {"words": ["a", 3]},
    "twice": {"words": ["a", "a"]},
    "no level": {"words": ["a"], "level": "byte"},
    "unknown beyond": {"words": ["a"], "level": "word", "unknown": 1},
    "unknown below": {"words": ["a"], "level": "word", "unknown": -1},
    "a flag": {"words": ["a"], "level": "word", "end": True},
}


@pytest.mark.parametrize("values", BROKEN.values(), ids=BROKEN)
def test_a_broken_vocabulary_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        Vocabulary.from_json(values)
