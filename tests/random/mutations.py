"""Texts that are nearly models: those of the repository and of the strategy, broken."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, settings

from .made_up import made_up
from .models import models
from .writer import Sample

ROOT = Path(__file__).parents[2]
FOLDERS = ("models", "tests/samples", "benchmarks/models", "graphdl/prelude")
WRITTEN = 60
MADE_UP = 0.5  # of all texts
LONGEST = 2000  # characters of a text of the corpus: what is long is the same again, and slow
TOKEN = re.compile(r"\s+|#[^\n]*|\"[^\"\n]*\"|\w+(?:\.\d+)?|->|[=!<>]=|//|\.\.|.", re.DOTALL)
NUMBERS = (
    "0", "-1", "1", "2", "0.5", "-0.5", "1e30", "1e-30", "1e400", "100000", "2147483648",
    str(10**30), "9" * 5000, "0.0000001", "1..3", "[3, 4]", "[]", "true", '"text"', "(1, 2)", "x",
)  # fmt: skip
WORDS = """
-> = ( ) [ ] { } , : .. + - * / // % ^ @ == < " ' # \\ $ ` ; && ! ** if else repeat each scan in
and not next input target output loss metric layer weight state running block op param check train
import rule softmax linear(3) conv(2,3) mean size(x,0) T batch all same training e é λ → “ ” 🙂
"""
LAYERS = """
linear conv conv1d embedding add_positions dropout spatial_dropout batch_norm layer_norm flatten
heads_first heads_last max_pool avg_pool global_max_pool global_avg_pool max_over_time
mean_over_time rnn lstm gru relu leaky_relu elu gelu sigmoid softsign softplus root softmax
log_softmax softmin norm nll cross_entropy bce bce_with_logits mse l1 huber multi_margin contrastive
accuracy binary_accuracy perplexity exp log sqrt abs sign tanh erf floor max min number sum mean
amax amin argmax reshape transpose concat split slice reverse last hold gather pick positions
convolve window_max window_mean random constant size rank count classes maker pair area uniform
normal glorot he orthogonal file sgd adam
"""
NAMES = LAYERS.split()
SCRAPS = (*WORDS.split(), "\n", "\t", "\r", "\0", "\u2028", "\ufeff", "\u202e", "\ud800")


@cache
def corpus() -> tuple[str, ...]:
    """Every model text there is, those of documents and tests too, and some by the strategy."""
    files = sorted(f for folder in FOLDERS for f in (ROOT / folder).glob("*.gdl"))
    texts = [f.read_text("utf-8") for f in files]
    for page in sorted((ROOT / "docs").rglob("*.md")):
        texts += re.findall(r"^```gdl\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    for case in sorted((ROOT / "tests").glob("*/diagnostics/*.txt")):
        texts += re.findall(
            r"^=== (?:wrong|right)\n(.*?)(?=^===|\Z)", case.read_text("utf-8"), re.M | re.S
        )
    return (*_pieces(texts), *written(WRITTEN))


def _pieces(texts: list[str]) -> list[str]:
    """Long texts in pieces of whole paragraphs, such as the definitions of the prelude."""
    pieces: list[str] = []
    for text in texts:
        piece = ""
        for paragraph in re.split(r"(?<=\n\n)", text):
            if piece and len(piece) + len(paragraph) > LONGEST:
                pieces.append(piece)
                piece = ""
            piece += paragraph
        pieces += [piece] if piece.strip() else []
    return pieces


def written(count: int) -> list[str]:
    """The same texts of the strategy every time."""
    texts: list[str] = []

    @settings(max_examples=count, derandomize=True, database=None, deadline=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(models())
    def collect(sample: Sample) -> None:
        texts.append(sample.text)

    collect()
    return texts


def mutant(number: int) -> str:
    """The mutated text of this number: one text of the corpus after one to six changes."""
    random = Random(number)
    if random.random() < MADE_UP:
        text = made_up(random)
        return mutated(random, text) if random.random() < 0.3 else text
    return mutated(random, random.choice(corpus()))


def mutated(random: Random, text: str) -> str:
    """A text after one to six changes."""
    tokens = TOKEN.findall(text)
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        if tokens:
            tokens = random.choice(CHANGES)(random, tokens)
    return "".join(tokens)


def _somewhere(random: Random, tokens: list[str], pattern: str = r"\S") -> int:
    places = [i for i, token in enumerate(tokens) if re.match(pattern, token)]
    return random.choice(places) if places else random.randrange(len(tokens))


def delete(random: Random, tokens: list[str]) -> list[str]:
    i = _somewhere(random, tokens)
    return tokens[:i] + tokens[i + random.choice((1, 1, 2, 5)) :]


def duplicate(random: Random, tokens: list[str]) -> list[str]:
    i, n = _somewhere(random, tokens), random.choice((1, 1, 3, 10))
    return tokens[:i] + tokens[i : i + n] * random.choice((2, 2, 2, 50)) + tokens[i + n :]


def swap(random: Random, tokens: list[str]) -> list[str]:
    i, j = (_somewhere(random, tokens) for _ in range(2))
    tokens[i], tokens[j] = tokens[j], tokens[i]
    return tokens


def renumber(random: Random, tokens: list[str]) -> list[str]:
    tokens[_somewhere(random, tokens, r"\d")] = random.choice(NUMBERS)
    return tokens


def rename(random: Random, tokens: list[str]) -> list[str]:
    i, j = (_somewhere(random, tokens, r"[A-Za-z_]") for _ in range(2))
    tokens[i] = tokens[j]
    return tokens


def relayer(random: Random, tokens: list[str]) -> list[str]:
    """Another layer or function with the same arguments, or a few of its own."""
    after = [i for i, t in enumerate(tokens) if re.match(r"[a-z]\w*$", t) and t in NAMES]
    if not after:
        return rename(random, tokens)
    arguments = ("", "", "", f"({random.randint(0, 4)})", f"({random.randint(-2, 3)}, axis = 0)")
    tokens[random.choice(after)] = random.choice(NAMES) + random.choice(arguments)
    return tokens


def nudge(random: Random, tokens: list[str]) -> list[str]:
    """A number becomes a small one."""
    numbers = ("0", "1", "2", "3", "4", "5", "7", "9", "12", "0.5", "[2, 1]", "-1", "[1]")
    tokens[_somewhere(random, tokens, r"\d")] = random.choice(numbers)
    return tokens


def misspell(random: Random, tokens: list[str]) -> list[str]:
    i = _somewhere(random, tokens, r"[A-Za-z_]")
    place = random.randrange(len(tokens[i]) or 1)
    tokens[i] = tokens[i][:place] + random.choice(("", "x", "_", "é")) + tokens[i][place + 1 :]
    return tokens


def insert(random: Random, tokens: list[str]) -> list[str]:
    i = random.randrange(len(tokens) + 1)
    return [*tokens[:i], random.choice(SCRAPS) * random.choice((1, 1, 1, 1, 40)), *tokens[i:]]


def unbalance(random: Random, tokens: list[str]) -> list[str]:
    i = _somewhere(random, tokens, r"[()\[\]{}]")
    tokens[i] = random.choice(("", "(", ")", "[", "]", "{", "}", "((", "({["))
    return tokens


def join_lines(random: Random, tokens: list[str]) -> list[str]:
    i = _somewhere(random, tokens, r"\s*\n")
    tokens[i] = random.choice((" ", "", "\n\n", "\r", "\r\n", "\n#", "\n->", "\n-"))
    return tokens


def truncate(random: Random, tokens: list[str]) -> list[str]:
    i = random.randrange(len(tokens))
    return random.choice((tokens[:i], tokens[i:]))


def splice(random: Random, tokens: list[str]) -> list[str]:
    other = TOKEN.findall(random.choice(corpus()))
    i, j = random.randrange(len(tokens)), random.randrange(len(other))
    return random.choice((tokens[:i] + other[j:], tokens[:i] + other[j : j + 20] + tokens[i:]))


def move_line(random: Random, tokens: list[str]) -> list[str]:
    lines = "".join(tokens).split("\n")
    i, j = random.randrange(len(lines)), random.randrange(len(lines))
    lines.insert(j, lines.pop(i) if random.random() < 0.5 else lines[i])
    return TOKEN.findall("\n".join(lines))


Change = Callable[[Random, list[str]], list[str]]
CHANGES: tuple[Change, ...] = (
    delete, duplicate, swap, renumber, renumber, nudge, nudge, relayer, relayer, rename, rename,
    misspell, insert, insert, unbalance, join_lines, truncate, splice, move_line,
)  # fmt: skip
