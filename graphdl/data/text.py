"""One long text as a language model reads it: at every step a token, and the one that follows."""

from __future__ import annotations

from array import array
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..errors import DataError
from ..errors.constant import constant
from .dataset import Dataset, Split
from .request import Found, Option, Request
from .stream import LINE, Stream, opened, spelled
from .vocabulary import END, LEVELS, UNKNOWN, Vocabulary, Wording
from .wording import Tokens, worded

TOKEN = 150  # bytes that a token seen for the first time takes, beside its letters
TOKENS = "tokens"  # the field of a text before it is known who reads it


def is_encoding(value: object) -> bool:
    """Whether this is the name of an encoding in which plain characters are one byte each."""
    if not isinstance(value, str):
        return False
    plain = "\n" + "".join(map(chr, range(32, 127)))
    try:
        value = spelled(value)
        # What only spells host names or escapes (`idna`, `unicode_escape`) is none.
        return plain.encode(value) == plain.encode() and plain.encode().decode(value) == plain
    except (LookupError, UnicodeError, TypeError, ValueError):
        return False


WORDING = {
    "level": Option(
        "what a token is: `word` or `character`", "word or character", lambda v: v in LEVELS
    ),
    "lower": Option("put into small letters", "true or false", lambda v: type(v) is bool),
    "minimum": Option(
        "words that occur less often are unknown",
        "a whole number above 0",
        lambda v: type(v) is int and v > 0,
    ),
    "unknown": Option(
        "the word that stands for unknown ones",
        "a text without blanks",
        lambda v: isinstance(v, str) and len(v.split()) == 1,
    ),
    "encoding": Option(
        "of the characters, such as utf-8 or cp1252",
        "the name of an encoding in which plain letters are one byte each, such as utf-8 or cp1252",
        is_encoding,
    ),
}
OPTIONS = {
    **WORDING,
    "eos": Option(
        "whether each line of words ends in `<eos>`", "true or false", lambda v: type(v) is bool
    ),
}


def wording(request: Request, names: list[str], reserved: bool = False) -> Wording:
    """How the vocabulary is made of which the ids of some inputs and targets are."""
    model = [request.model[name] for name in names]
    sizes = [shaped.classes for shaped in model if shaped.classes is not None]
    pads = [shaped.pad for shaped in model if shaped.pad is not None]
    options = request.options
    level = options.get("level", "word")
    return Wording(
        level,
        options.get("lower", False),
        options.get("minimum", 1),
        options.get("unknown", UNKNOWN),
        reserved,
        min(sizes, default=None),
        pads[0] if pads else None,
        end=level == "word" and options.get("eos", True),
    )


def known_words(request: Request, names: list[str]) -> Vocabulary | None:
    """The vocabulary of a checkpoint, where it has one for these."""
    return next((request.known[name] for name in names if name in request.known), None)


def insist_on_words(request: Request, known: Vocabulary | None) -> None:
    """DataError for an option of words that are not those of the training."""
    if known is None:
        return
    own: dict[str, Any] = {"level": known.level, "lower": known.lower}
    own |= {"eos": True} if known.end is not None else {}
    own |= {"unknown": known.words[known.unknown]} if known.unknown is not None else {}
    for name, value in own.items():
        if (asked := request.options.get(name, value)) != value:
            raise DataError(
                f"`{name} = {constant(asked)}` is asked for, and the words are those of the "
                f"training, read with `{name} = {constant(value)}`: leave it out"
            )


def read_text(request: Request) -> Found:
    """A file to train on, one for validation, one for testing; each is one long text."""
    asked, tokens = wording(request, list(request.model)), Tokens()
    vocabulary = known_words(request, list(request.model))
    insist_on_words(request, vocabulary)
    if vocabulary is not None:
        asked = replace(
            asked, level=vocabulary.level, lower=vocabulary.lower, end=vocabulary.end is not None
        )
    encoding = request.options.get("encoding", "utf-8")
    splits = []
    for written in request.names:
        path = request.lookup.file(written)
        with opened(path, encoding, request.budget) as stream:
            ids = _read(stream, asked, tokens)
        splits.append(Split({TOKENS: ids}, source=str(path), unit="step", stream=True))
    parts = dict(zip(("train", "validation", "test"), splits, strict=False))
    data = Dataset(request.reader, **parts)
    return data, partial(_finished, request, tokens, asked, vocabulary)


def _read(
    stream: Stream, asked: Wording, tokens: Tokens
) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    ids = array("i")
    begun = ""  # the word that a piece of a long line broke off in
    for line, piece, ends in stream.pieces():
        text, begun = (piece, "") if asked.level == "character" else _whole(begun + piece, ends)
        if len(begun) > LINE:
            stream.fail(f"line {line}: a word of more than {LINE:,} characters")
        before, known = len(ids), len(tokens.ids)
        text = text.lower() if asked.lower else text
        ids.extend(tokens.numbers(text if asked.level == "character" else text.split()))
        ids.extend(tokens.numbers([END] if asked.end and ends else []))
        new = len(tokens.ids) - known
        stream.hold(4 * (len(ids) - before) + (TOKEN * new + len(text) if new else 0), line)
    if not ids:
        raise DataError(f"{stream.path}: there is no text in it")
    return np.frombuffer(ids, np.int32)


def _whole(text: str, ends: bool) -> tuple[str, str]:
    """A text up to its last blank, and the beginning of the word behind it."""
    if ends or text[-1:].isspace():
        return text, ""
    last = text.split()[-1:]
    return (text[: len(text) - len(last[0])], last[0]) if last else (text, "")


def _finished(
    request: Request,
    tokens: Tokens,
    asked: Wording,
    vocabulary: Vocabulary | None,
    data: Dataset,
) -> Dataset:
    """The text as each input and target reads it: from its own place on."""
    found = worded(data, (TOKENS,), tokens, asked, vocabulary)
    shifts = _shifts(request)
    splits = {name: _shifted(split, shifts) for name, split in found.splits.items()}
    return Dataset(data.name, **splits)


def _shifts(request: Request) -> dict[str, int]:
    """How far along the text each reads: inputs the token of a step, targets the one after."""
    if not request.model:
        return {"features": 0, "label": 1}
    ahead = {name: int(name in request.targets) for name in request.model}
    return {**ahead, **request.shifts}


def _shifted(split: Split, shifts: dict[str, int]) -> Split:
    ids, furthest = split.fields[TOKENS], max(shifts.values())
    count = len(ids) - furthest
    if count < 1:
        raise DataError(
            f"{split.source}: {len(ids)} tokens are too few to read {furthest} steps ahead"
        )
    column = split.column(TOKENS)
    roles = {"features": "features", "label": "label"}
    about = {
        name: replace(column, role=roles.get(name, "other"), of=shift)  # type: ignore[arg-type]
        for name, shift in shifts.items()
    }
    fields = {name: ids[shift : shift + count] for name, shift in shifts.items()}
    return Split(fields, about, split.source, split.unit, stream=True)
