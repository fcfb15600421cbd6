"""Texts given to a trained network: the ids of their words, as training read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import Vocabulary
from ..data.given import array_of
from ..data.ragged import Ragged
from ..data.stream import shown
from ..engine.settings import Settings
from ..errors import DataError
from ..program import Size
from .frames import by_columns
from .port import Port, accepted

if TYPE_CHECKING:
    from .network import Network


def taken(
    net: Network, ports: Mapping[str, Port], given: Mapping[str, Any], *, missing_ok: bool = False
) -> dict[str, np.ndarray[Any, Any]]:
    """What is given as `accepted` takes it, words and names of classes as their ids."""
    return accepted(ports, in_ids(net, given), missing_ok, net.labels)


def in_ids(net: Network, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, with a text for each example as the sequence of its words' ids.

    Words, small letters, the length at which a sentence is cut and what stands for an unknown word
    are those of training, and so is the order of the columns of tables. All else stays as it is.

    Raises DataError where no words are known, or for one that is not and that nothing stands for.
    """
    if _are_numbers(given):
        return dict(given)
    found = by_columns(net.trained.fields, given)
    for name, values in found.items():
        if _takes_words(net, name) and _may_hold_texts(values):
            found[name] = _worded(net, name, values)
    return found


def _are_numbers(given: Mapping[str, Any]) -> bool:
    """Whether all are arrays of numbers, as at nearly every step: a quick look."""
    for values in given.values():
        if type(values) is not np.ndarray or values.dtype.kind in "UOT":
            return False
    return True


def _takes_words(net: Network, name: str) -> bool:
    shaped = net.graph.inputs.get(name) or net.graph.targets.get(name)
    if shaped is None or shaped.kind != "int" or len(shaped.shape) != 1:
        return False
    return name in net.vocabularies or isinstance(shaped.shape[0], Size)


def _may_hold_texts(values: Any) -> bool:
    """A quick look: this is asked at every step."""
    if type(values) is np.ndarray:
        return values.dtype.kind in "UOT"
    if isinstance(values, list | tuple):
        while isinstance(values, list | tuple) and values:
            values = values[0]
        return isinstance(values, str)
    return not isinstance(values, Ragged)


def _worded(net: Network, name: str, values: Any) -> Any:
    array = array_of(values, f"`{name}`")
    if isinstance(array, Ragged) or array.dtype.kind != "U":
        return array
    if array.ndim != 1:
        raise DataError(f"`{name}` is {list(array.shape)} texts: give one for each example")
    vocabulary = net.vocabularies.get(name)
    if vocabulary is None:
        raise DataError(
            f"`{name}` holds texts such as `{shown(str(array[0]))}`, and which words its ids stand "
            f"for is not known: give ids, or train on `lines(...)` or `text(...)`"
        )
    longest = _longest(net)
    rows = [_ids(vocabulary, text, f"`{name}`, row {row}")[:longest]
            for row, text in enumerate(array.tolist())]  # fmt: skip
    return Ragged.of(rows)


def _ids(vocabulary: Vocabulary, text: str, place: str) -> list[int]:
    tokens = vocabulary.tokens(text)
    if not tokens and vocabulary.unknown is not None:
        return [vocabulary.unknown]  # as `lines` reads an empty sentence
    found = [vocabulary.ids.get(token, vocabulary.unknown) for token in tokens]
    if None in found:
        strange = tokens[found.index(None)]
        raise DataError(
            f"{place}: `{shown(strange)}` is not among the {len(vocabulary):,} words of the "
            "training, and none of these stands for unknown ones"
        )
    return [i for i in found if i is not None]


def _longest(net: Network) -> int | None:
    """After how many tokens `lines(..., longest = n)` cut the sentences of training."""
    data = Settings.from_json(net.trained_with).data if net.trained_with else None
    longest = data.keywords.get("longest") if data is not None else None
    return longest if type(longest) is int else None
