"""Which word an id stands for: built from a text, kept in checkpoints, the same ever after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..errors.constant import constant

Level = Literal["word", "character"]
UNKNOWN, PAD, END = "<unk>", "<pad>", "<eos>"
LEVELS = ("word", "character")
MOST = 1 << 24  # words: more is no vocabulary


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words (or characters) by id.

    unknown   id of the word that stands for all others; None where every one is known
    pad       id that fills short sequences up; it is no word of any text
    end       id of the word behind each line
    lower     whether text is put into small letters first

    >>> Vocabulary(("the", "cat")).encode("cat the cat").tolist()
    [1, 0, 1]
    """

    words: tuple[str, ...]
    level: Level = "word"
    unknown: int | None = None
    pad: int | None = None
    end: int | None = None
    lower: bool = False
    ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", {word: i for i, word in enumerate(self.words)})

    def __len__(self) -> int:
        return len(self.words)

    def tokens(self, text: str) -> list[str]:
        """The words or characters of a text; a newline is the end of a line, where one is known."""
        text = text.lower() if self.lower else text
        if self.level == "character":
            return list(text)
        first, *rest = text.split("\n")
        found = first.split()
        for line in rest:
            found += [END] if self.end is not None else []
            found += line.split()
        return found

    def encode(self, text: str | Iterable[str]) -> NDArray[np.int64]:
        """The ids of a text, or of its tokens.

        Raises DataError for a word that is not known, where no id stands for unknown ones.
        """
        tokens = self.tokens(text) if isinstance(text, str) else text
        return np.array([self._id(token) for token in tokens], np.int64)

    def _id(self, token: str) -> int:
        found = self.ids.get(token, self.unknown)
        if found is None:
            raise DataError(f"`{token}` is not among the {len(self.words):,} words that are known")
        return found

    def decode(self, ids: Iterable[int]) -> str:
        r"""Words with blanks between them, each end of a line as a newline; characters as a text.

        >>> Vocabulary(("<eos>", "the", "cat"), end=0).decode([1, 2, 0, 1])
        'the cat\nthe'
        """
        words = [self.words[i] if 0 <= i < len(self.words) else UNKNOWN for i in ids]
        if self.level == "character":
            return "".join(words)
        text = " ".join("\n" if word == END and self.end is not None else word for word in words)
        return text.replace(" \n", "\n").replace("\n ", "\n")

    def to_json(self) -> dict[str, Any]:
        """Plain values for the metadata of a checkpoint."""
        return {
            "words": list(self.words),
            "level": self.level,
            "unknown": self.unknown,
            "pad": self.pad,
            "end": self.end,
            "lower": self.lower,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Vocabulary:
        """The inverse of `to_json`; DataError when it is none."""
        words, level = values.get("words"), values.get("level")
        if not isinstance(words, list) or not 0 < len(words) <= MOST:
            raise DataError("it has no list of words")
        if not all(isinstance(word, str) for word in words) or len(set(words)) < len(words):
            raise DataError("its words are not texts, each once")
        if level not in LEVELS:
            raise DataError(f"its level is {constant(level)}, not word or character")
        unknown, pad, end = (_place(values.get(key), key) for key in ("unknown", "pad", "end"))
        if any(place is not None and place >= len(words) for place in (unknown, end)):
            raise DataError(f"it has {len(words):,} words, and names one beyond them")
        return cls(tuple(words), level, unknown, pad, end, values.get("lower") is True)


def _place(value: Any, key: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise DataError(f"its `{key}` is {constant(value)}, not an id")


@dataclass(frozen=True, slots=True)
class Wording:
    """How a vocabulary is made from counted words.

    most       how many ids there may be; `pad` is taken out of them
    minimum    words that are rarer are unknown
    unknown    the word that stands for others; `reserved` keeps a place for it in any case
    """

    level: Level = "word"
    lower: bool = False
    minimum: int = 1
    unknown: str = UNKNOWN
    reserved: bool = False
    most: int | None = None
    pad: int | None = None
    end: bool = False

    def vocabulary(self, counts: Mapping[str, int]) -> Vocabulary:
        """The commonest words first, equally common ones in alphabetical order."""
        known = {word: n for word, n in counts.items() if self.pad is None or word != PAD}
        frequent = [word for word, n in known.items() if n >= self.minimum]
        words = sorted(frequent, key=lambda word: (-known[word], word))
        room = (MOST if self.most is None else self.most) - (self.pad is not None)
        lacks = self.unknown not in words and (self.reserved or len(words) < len(known))
        if lacks or (len(words) > room and self.unknown not in words[:room]):
            words = [self.unknown, *(word for word in words if word != self.unknown)]
        words = words[: max(room, 1)]
        if self.pad is not None and self.pad <= len(words):
            words.insert(self.pad, PAD)
        places = {word: place for place, word in enumerate(words)}
        end = places.get(END) if self.end else None
        unknown = places.get(self.unknown)
        return Vocabulary(tuple(words), self.level, unknown, self.pad, end, self.lower)
