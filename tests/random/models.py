"""The Hypothesis strategy of whole models: inputs, a body, outputs, losses, metrics, settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import strategies as st

from .body import bare_weight, chain, statement
from .writer import Known, Sample, Shape, Writer

SEEDS = st.integers(0, 2**40)
OPTIMISERS = (
    "sgd(lr = 0.05)", "sgd(0.1, momentum = 0.9)", "sgd(0.1, 0.9, dampening = 0.9, decay = 1e-3)",
    "sgd(lr = 0.05, momentum = 0.5, nesterov = true)", "adam(lr = 1e-2)", "adamw(1e-2)",
    "adagrad(0.1)", "adadelta()", "rmsprop(0.01, momentum = 0.5)",
)  # fmt: skip
SETTINGS = (
    "clip = 1", "clip_value = 0.5", "l1 = 1e-3", "l2 = 1e-2", "decay = 1e-2", "max_norm = 2",
    "accumulate = 2", "batch = 4", "epochs = 1", "seed = 3",
)  # fmt: skip


@st.composite
def models(draw: Any) -> Sample:
    """A valid small model.

    Hypothesis draws how many inputs, statements and losses there are, and a seed for the decisions
    in each: so it can leave any of them out while it shrinks, and large models stay varied.
    """
    base = draw(SEEDS)
    w = Writer(Random(base))
    if w.chance(4):
        return one_line(w)
    constants(w)
    several(w, one_input, f"{base}/input", draw(st.lists(SEEDS, min_size=1, max_size=3)))
    several(w, statement, f"{base}/statement", draw(st.lists(SEEDS, min_size=1, max_size=8)))
    losses = draw(st.lists(SEEDS, max_size=2))
    several(w, loss, f"{base}/loss", losses)
    outputs(w, at_least=not losses)
    if losses and w.chance(70):
        settings(w)
    w.sample.text = "\n".join(w.lines) + w.pick(["\n", "", "\n\n# end"])
    return w.sample


def several(w: Writer, write: Callable[[Writer], None], base: str, seeds: list[int]) -> None:
    """Write once for each seed. Hypothesis likes to repeat itself: the place tells seeds apart."""
    for place, seed in enumerate(seeds):
        w.random.seed(f"{base}/{place}/{seed}")
        write(w)


def one_line(w: Writer) -> Sample:
    """The one-line program."""
    act = w.pick(["tanh", "relu", "softsign", "gelu"])
    n, m = w.whole(1, 4), w.whole(2, 4)
    end = w.pick(
        [" -> softmax -> nll", " -> cross_entropy", "", " -> log_softmax -> nll", " -> mse"]
    )
    w.sample.text = f"input -> linear({n}, {m}) -> {act} -> linear({m}){end}"
    return w.sample


# ---- the head ----------------------------------------------------------------------------


def constants(w: Writer) -> None:
    """Parameters, overridden or not, and named constants."""
    for _ in range(w.whole(0, 2)):
        name, value = w.fresh("n"), w.whole(1, 4)
        if w.chance(60):
            domain = w.pick(["", " in 1..8", " in [1, 2, 3, 4]"])
            default = value
            if w.chance(40):
                default = w.whole(1, 4)
                w.sample.params[name] = value
            w.line(f"param {name} = {default}{domain}")
        else:
            text = w.pick([str(value), f"if 2 > 1 {{ {value} }} else {{ 9 }}", f"{value * 3} // 3"])
            w.line(f"{name} = {text}")
        w.numbers[name] = value
    if w.chance(40):
        name, flag = w.fresh("flag"), w.chance(50)
        w.line(f"param {name} = {str(flag).lower()}")
        w.flags[name] = flag
        if w.chance(30):
            w.sample.params[name] = w.flags[name] = not flag
    if w.numbers and w.chance(20):
        w.line(f'check {w.pick(list(w.numbers))} > 0 : "wants {{n}} units"')


def one_input(w: Writer) -> None:
    """An input of any kind."""
    kinds: list[Callable[[Writer], Known]] = [vector, image, sequence, words, scalar, scalar_id]
    w.keep(w.pick([*kinds, vector, image, sequence])(w))


def _declared(w: Writer, stem: str, shape: Shape, size: float = 2.0) -> Known:
    name = w.fresh(stem)
    shown = ", ".join(w.written(n) if isinstance(n, int) else n for n in shape)
    kind = w.pick(["", "", ": float"])
    w.line(f"input {name}[{shown}]{kind}")
    return Known(name, shape, size)


def vector(w: Writer) -> Known:
    return _declared(w, "x", (w.whole(1, 6),))


def image(w: Writer) -> Known:
    return _declared(w, "image", (w.whole(1, 3), w.whole(3, 6), w.whole(3, 6)))


def length(w: Writer) -> int | str:
    """A number of steps, or a size name."""
    if w.chance(50):
        return w.whole(2, 5)
    name = w.pick(["T", "L"])
    w.sample.sizes.setdefault(name, w.whole(1, 6))
    return name


def sequence(w: Writer) -> Known:
    return _declared(w, "series", (length(w), w.whole(1, 4)))


def words(w: Writer) -> Known:
    name, steps, classes = w.fresh("words"), length(w), w.whole(2, 9)
    w.line(f"input {name}[{steps}]: int({classes})")
    n = w.whole(1, 4)
    if w.chance(30):
        table = bare_weight(w, (classes, n))
        return w.name(Known(f"gather({table}, {name})", (steps, n), 1.0), "e")
    return w.name(Known(f"{name} -> embedding({n})", (steps, n), 2.0), "e")


def scalar(w: Writer) -> Known:
    name = w.fresh("level")
    if w.chance(50):
        w.line(f"input {name}[]")
        return Known(name, (), 2.0)
    # Undeclared: it would take the shape of what it meets first, so its own is written here.
    w.line(f"input {name}")
    h = w.fresh("h")
    w.line(f"{h}[] = tanh({name})")
    return Known(h, (), 1.0)


def scalar_id(w: Writer) -> Known:
    name, n = w.fresh("id"), w.whole(2, 6)
    w.line(f"input {name}: int({n})")
    if w.chance(25):
        text = w.pick([f"number({name}) / {n}", f"number({name} == 1)", f"number({name} != 0)"])
        return w.name(Known(text, (), 1.0))
    m = w.whole(1, 4)
    return w.name(Known(f"{name} -> embedding({m}, init = normal(0.7))", (m,), 1.5), "e")


# ---- the ends ----------------------------------------------------------------------------


def _target(w: Writer, shape: Shape, classes: int = 0, shown: bool = True) -> str:
    name = w.fresh("y")
    sizes = f"[{', '.join(map(str, shape))}]" if shape and shown else ""
    w.line(f"target {name}{sizes}{f': int({classes})' if classes else ''}")
    return name


def loss(w: Writer) -> None:
    """A loss of the right kind for the shape of some value."""
    value = w.any_value()
    if value is None:
        return
    if not value.batched:
        w.line(f"loss {w.fresh('penalty')} = mean({value.text} ^ 2)")
        return
    text = distance(w, value)
    last = value.shape[-1] if value.shape else ""
    if 1 <= len(value.shape) <= 2 and isinstance(last, int) and w.chance(65):
        text = classification(w, value)
    if w.chance(25):
        text = w.pick([f"0.3 * ({text})", f"({text}) * 2 + 0.1"])
    name = f" {w.fresh('cost')}" if w.chance(40) else ""
    w.line(f"loss{name} = {text}")


def distance(w: Writer, value: Known) -> str:
    """How far a value is from a target of its shape."""
    kind = w.pick(["mse", "l1", "huber", "huber(0.5)", "self", "bce_with_logits", "contrastive"])
    if kind == "self":
        return w.pick([f"{value.text} ^ 2", f"mean(abs({value.text}))", f"{value.text} -> tanh"])
    if kind == "contrastive":
        if not value.shape or not isinstance(value.shape[-1], int):
            kind = "mse"
        else:
            same = _target(w, value.shape[:-1], 2)
            margin = w.decimal(0.5, 2)
            return f"contrastive({value.text}, tanh({value.text}) - 0.3, {same}, margin = {margin})"
    y = _target(w, value.shape, shown=w.chance(80))
    name, _, arguments = kind.rstrip(")").partition("(")
    if w.chance(50):
        return f"{value.text} -> {name}({y}{', ' * bool(arguments)}{arguments})"
    if name == "bce_with_logits" and w.chance(30):
        w.line(f"metric = binary_accuracy({value.text}, {y})")
    if name == "bce_with_logits" and w.chance(50):
        return f"(sigmoid({value.text})) -> bce({y})"
    return f"{name}({value.text}, {y}{', ' * bool(arguments)}{arguments})"


def classification(w: Writer, value: Known) -> str:
    """Scores of some classes and a loss on them, with a metric."""
    classes = w.whole(2, 4)
    y = _target(w, value.shape[:-1], classes)
    scores = w.name(
        replace(
            value, text=f"{value.text} -> linear({classes})", shape=(*value.shape[:-1], classes)
        ),
        "scores",
    )
    w.use(scores)
    if w.chance(50):
        w.line(f"metric = {scores.text} -> accuracy({y})")
    if w.chance(15):
        w.line(f"metric {w.fresh('m')} = perplexity({scores.text}, {y})")
    kinds = [f"cross_entropy({y})", f"softmax -> nll({y})", f"log_softmax -> nll({y})"]
    kinds += [f"softmin({w.decimal(0.3, 2)}) -> nll({y})"]
    kinds += (
        [f"multi_margin({y})", f"multi_margin({y}, margin = 0.5)"] if len(value.shape) == 1 else []
    )
    kind = w.pick(kinds)
    if kind.startswith("softmax") and w.chance(50):
        w.line(f"output {w.fresh('probs')} = {scores.text} -> softmax")
    return f"{scores.text} -> {kind}"


def outputs(w: Writer, *, at_least: bool) -> None:
    """Outputs for what nobody used, and some more."""
    text = "\n".join(w.lines)
    idle = [v for v in w.values if len(re.findall(rf"\b{v.text}\b", text)) == 1]
    for value in idle[:4]:
        if w.chance(50):
            value = chain(w, value, 2)
        w.line(f"output {w.fresh('out')} = {value.text}")
    for value in idle[4:]:
        w.line(f"metric {w.fresh('rest')} = mean({value.text})")
    if at_least or w.chance(30):
        w.line(f"output {w.fresh('out')} = {w.pick(w.values).text}")


def settings(w: Writer) -> None:
    """A `train` block."""
    lines = [f"optimizer = {w.pick(OPTIMISERS)}", *(s for s in SETTINGS if w.chance(12))]
    w.lines += ["train {", *[f"  {line}" for line in lines], "}"]
