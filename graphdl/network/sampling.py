"""Text out of a language model: one token after the other, each drawn from what it predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from ..graph import Wire
from .judging import settings_of_run

if TYPE_CHECKING:
    from ..data import Vocabulary
    from .network import Network

Array = np.ndarray[Any, Any]
CONTEXT = 128  # tokens that a model without states sees, where training had no window


def sample(
    net: Network,
    /,
    n: int = 200,
    *,
    prime: str = "",
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
) -> str:
    """`prime` and `n` more tokens, each drawn from the model's probabilities.

    `temperature` divides the scores: below 1 likely tokens become likelier, at 0 the likeliest is
    taken; `top_k` draws among so many only. The same seed gives the same text.

    Raises UsageError when the model is no language model, has not seen a text, or does not know a
    word of `prime`.
    """
    _check(n, temperature, top_k)
    model = _Model(net)
    ids = model.begin(prime)
    random = np.random.Generator(np.random.Philox(key=[seed, 2]))
    scores = model.read(ids)
    for _ in range(n):
        ids.append(_drawn(scores, random, temperature, top_k))
        scores = model.read(ids[-1:])
    return model.vocabulary.decode(ids[model.silent :])


def _check(n: int, temperature: float, top_k: int | None) -> None:
    if n < 0:
        raise UsageError(f"n is a number of tokens from 0, not {n}")
    if not temperature >= 0:
        raise UsageError(f"temperature is a number from 0, not {temperature:g}")
    if top_k is not None and top_k < 1:
        raise UsageError(f"top_k is a number of tokens from 1, not {top_k}")


class _Model:
    """A network as a reader of tokens.

    silent   how many of the first tokens are not part of the text
    """

    def __init__(self, net: Network) -> None:
        self.net = net
        self.name = _text_input(net)
        self.vocabulary: Vocabulary = net.vocabularies[self.name]
        self.output = _scores(net, len(self.vocabulary.words))
        self.silent = 0
        self.seen: list[int] = []
        self.context = settings_of_run(net).window or CONTEXT

    def begin(self, prime: str) -> list[int]:
        """The tokens to start from: those of the prime, or the end of a sentence before."""
        words = self.vocabulary
        strange = [token for token in words.tokens(prime) if token not in words.ids]
        if strange:
            raise UsageError(f"`{strange[0]}` is not among the words this model knows")
        ids = [int(i) for i in words.encode(prime)]
        if ids:
            return ids
        self.silent = 1
        newline = words.words.index("\n") if "\n" in words.words else 0
        return [newline if words.end is None else words.end]

    def read(self, ids: list[int]) -> Array:
        """Scores of the token that follows, after reading some more: float64 [words]."""
        fresh, self.seen = not self.seen, [*self.seen, *ids][-self.context :]
        found = self._run(ids, fresh) if self.net.graph.recurrent else self._run(self.seen, None)
        scores: Array = np.array(found[0, -1], np.float64)
        scores[len(self.vocabulary.words) :] = -np.inf
        if self.vocabulary.pad is not None:
            scores[self.vocabulary.pad] = -np.inf
        return scores

    def _run(self, ids: list[int], fresh: bool | None) -> Array:
        wires = {self.output: self.net.graph.outputs[self.output]}
        data = {self.name: np.array([ids], np.int64)}
        found = self.net.read(wires, data, fresh)[self.output]
        with np.errstate(divide="ignore"):
            return np.log(found) if _is_softmax(self.net, self.output) else found


def _text_input(net: Network) -> str:
    names = [n for n, p in net.inputs.items() if p.dtype == "int64" and len(p.shape) == 1]
    if len(net.inputs) != 1 or len(names) != 1:
        raise UsageError(
            "sampling wants a model whose only input is a text: `input words[T]: int(10000)`"
        )
    if names[0] not in net.vocabularies:
        raise UsageError(
            f"which words the ids of `{names[0]}` are is not known: train the model on `text(...)`"
        )
    return names[0]


def _scores(net: Network, words: int) -> str:
    for name, port in net.outputs.items():
        if len(port.shape) == 2 and isinstance(port.shape[1], int) and port.shape[1] >= words:
            return name
    raise UsageError(
        f"sampling wants an output of scores for the next token, [T, {words}]: "
        "write `output = scores -> softmax`"
    )


def _is_softmax(net: Network, output: str) -> bool:
    wire: Wire = net.graph.outputs[output]
    return net.graph.nodes[wire.node].label == "softmax"


def _drawn(
    scores: Array, random: np.random.Generator, temperature: float, top_k: int | None
) -> int:
    """A token by its score; the draw is made even where it decides nothing."""
    point = random.random()
    if temperature == 0 or top_k == 1:
        return int(scores.argmax())
    if top_k is not None and top_k < len(scores):
        least = np.partition(scores, -top_k)[-top_k]
        scores = np.where(scores >= least, scores, -np.inf)
    weights = np.exp((scores - scores.max()) / temperature)
    total = weights.cumsum()
    return int(min(np.searchsorted(total, point * total[-1], side="right"), len(total) - 1))
