"""Text out of a language model: one token after the other, each drawn from what it predicts."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from ..program import Size
from .along_time import reading
from .judging import settings_of_run

if TYPE_CHECKING:
    from ..data import Vocabulary
    from .network import Network

Array = np.ndarray[Any, Any]
CONTEXT = 128  # tokens that a model sees again for each, where training had no window
SEEDS = 2**64
NEAR = 1e-3  # to 1, of a sum of float32 probabilities


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

    A model in which only scans look along time goes on from its states; any other reads the last
    tokens again for each, as many as a window of its training had.

    Raises UsageError when the model is no language model, has not seen a text, or does not know a
    word of `prime`.
    """
    _check(n, prime, temperature, top_k, seed)
    with net._programs.apart():
        return _written(_Model(net), n, prime, temperature, top_k, seed)


def _written(
    model: _Model, n: int, prime: str, temperature: float, top_k: int | None, seed: int
) -> str:
    ids = model.begin(prime)
    model.settle(ids)
    random = np.random.Generator(np.random.Philox(key=np.array([seed, 2], np.uint64)))
    scores = model.read(ids)
    for _ in range(n):
        ids.append(_drawn(scores, random, temperature, top_k))
        scores = model.read(ids[-1:])
    return model.vocabulary.decode(ids[model.silent :])


def _check(n: Any, prime: Any, temperature: Any, top_k: Any, seed: Any) -> None:
    """UsageError for an argument that is none."""
    if not _whole(n) or n < 0:
        raise UsageError(f"n is a number of tokens from 0, not {n!r}")
    if not isinstance(prime, str):
        raise UsageError(f'prime is a text, such as "the cat", not {prime!r}')
    if not _number(temperature) or not 0 <= temperature < math.inf:
        raise UsageError(f"temperature is a finite number from 0, not {_shown(temperature)}")
    if top_k is not None and (not _whole(top_k) or top_k < 1):
        raise UsageError(f"top_k is a number of tokens from 1, not {top_k!r}")
    if not _whole(seed) or not 0 <= seed < SEEDS:
        raise UsageError(f"seed is a whole number from 0 to 2^64 - 1, not {seed!r}")


def _whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)


class _Model:
    """A network as a reader of tokens.

    silent    how many of the first tokens are not part of the text
    carries   whether states go on from token to token; otherwise the last `context` are read again
    """

    def __init__(self, net: Network) -> None:
        self.net = net
        self.name = _text_input(net)
        self.vocabulary: Vocabulary = net.vocabularies[self.name]
        self.outputs = _of_next_token(net, self.name)
        self.silent = 0
        self.seen: list[int] = []

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

    def settle(self, ids: list[int]) -> None:
        """Choose the output to draw from, by what it gives for some tokens, and how to go on."""
        self.output = self._chosen(ids)
        length = self.net.graph.inputs[self.name].shape[0]
        how = reading(self.net.program(), self.output, length)
        if how.backwards or _turns_padded(self.net, self.output):
            raise UsageError(
                f"this model reads backwards and cannot write on: `{self.output}` turns time "
                "round, so a token depends on those behind it"
            )
        self.carries = how.recurrent and how.stepwise
        self.context = settings_of_run(self.net).window or CONTEXT
        if how.recurrent:
            self.context = max(self.context, CONTEXT)
        self.context = min(self.context, how.positions or self.context)

    def _chosen(self, ids: list[int]) -> str:
        """Probabilities if there are any, else logarithms of some, else the only scores."""
        if len(self.outputs) == 1:
            return self.outputs[0]
        wires = {name: self.net.graph.outputs[name] for name in self.outputs}
        found = self.net.read(wires, {self.name: np.array([ids[-1:]], np.int64)}, None)
        rows = {name: np.array(found[name][0, -1], np.float64) for name in self.outputs}
        with np.errstate(over="ignore"):
            sure = [n for n in rows if _is_distribution(rows[n])]
            sure += [n for n in rows if _is_distribution(np.exp(rows[n]))]
        if not sure:
            listed = " or ".join(f"`{name}`" for name in self.outputs)
            raise UsageError(
                f"whether {listed} scores the next token is not clear: "
                "write `output p = scores -> softmax` for the one that does"
            )
        return sure[0]

    def read(self, ids: list[int]) -> Array:
        """Scores of the token that follows, after reading some more: float64 [words]."""
        fresh, self.seen = not self.seen, [*self.seen, *ids][-self.context :]
        found = self._run(ids, fresh) if self.carries else self._run(self.seen, None)
        scores = _logarithms(found[0, -1])
        scores[len(self.vocabulary.words) :] = -np.inf
        if self.vocabulary.pad is not None:
            scores[self.vocabulary.pad] = -np.inf
        if not math.isfinite(scores.max()):
            raise UsageError(f"`{self.output}` is not finite: there is nothing to draw from")
        return scores

    def _run(self, ids: list[int], fresh: bool | None) -> Array:
        wires = {self.output: self.net.graph.outputs[self.output]}
        data = {self.name: np.array([ids], np.int64)}
        return self.net.read(wires, data, fresh)[self.output]


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


def _of_next_token(net: Network, text: str) -> list[str]:
    """Outputs with a number for each class of the text at each of its steps."""
    (length,), classes = net.graph.inputs[text].shape, net.graph.inputs[text].classes
    shapes = {name: net.graph.shaped(wire).shape for name, wire in net.graph.outputs.items()}
    found = [name for name, shape in shapes.items() if shape == (length, classes)]
    if not found:
        raise UsageError(
            f"sampling wants an output of scores for the next token, [{length}, {classes}]: "
            "write `output = scores -> softmax`"
        )
    return found


def _turns_padded(net: Network, output: str) -> bool:
    """Whether a padded sequence is turned round: its steps are picked, which no program tells."""
    pending, seen = [net.graph.outputs[output].node], set()
    while pending:
        node = net.graph.nodes[pending.pop()]
        if node.name in seen:
            continue
        seen.add(node.name)
        pending += [wire.node for wire in node.inputs]
        if node.label == "reverse" and node.call is not None:
            axis = node.call.keywords.get("axis", 0)
            if isinstance(node.outputs[0].shape[axis], Size):
                return True
    return False


def _is_distribution(row: Array) -> bool:
    return bool(row.min() >= 0 and abs(row.sum() - 1) < NEAR)


def _logarithms(row: Array) -> Array:
    """Scores as they are; of probabilities, whatever made them, their logarithms."""
    scores = np.array(row, np.float64)
    if not _is_distribution(scores):
        return scores
    with np.errstate(divide="ignore"):
        return np.log(scores)


def _drawn(
    scores: Array, random: np.random.Generator, temperature: float, top_k: int | None
) -> int:
    """A token by its score; the draw is made even where it decides nothing."""
    point = random.random()
    if temperature == 0 or top_k == 1:
        return int(scores.argmax())
    if top_k is not None and top_k < len(scores):
        # Of equal scores the first ones: a partition would keep all that tie with the last.
        dropped = np.argsort(-scores, kind="stable")[top_k:]
        scores = scores.copy()
        scores[dropped] = -np.inf
    with np.errstate(over="ignore"):
        weights = np.exp((scores - scores.max()) / temperature)
    total = weights.cumsum()
    return int(min(np.searchsorted(total, point * total[-1], side="right"), len(total) - 1))
