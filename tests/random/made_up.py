# ruff: noqa: E501, ISC004 -- lines of texts are easier to read whole
"""Texts made of the language's words and wrong values: calls, settings, definitions, one-liners."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

from graphdl.elaborate.functions import builtins
from graphdl.elaborate.library import prelude_trees
from graphdl.engine.schedule import SCHEDULES
from graphdl.engine.settings import CHECKS
from graphdl.syntax import tree

VALUES = (
    "x", "k", "t", "(x, x)", "[x]", "s > 0", "3", "0", "-1", "2.5", "true", '"a"', '""', "[1, 2]",
    "[]", "[[1], 2]", "1..3", "3..1", "1..10^12", "0.1..0.9", "relu", "linear(3)", "f", "g(2)", "batch",
    "same", "all", "normal(1)", "T", "{a: 1}", "{5: 0.5}", "{1: {2: 3}}", "10^30", "10^400", "2^2^2^2^2",
    "9" * 50, "1e-400", "1e400", "1 / 0", "-(3)", "not true", "x.weight", "nothing", "next h", "step", "()",
    "if true { 3 } else { 4 }", "training", "x -> relu", "x @ x", "[1] + [2]", '"a" + "b"', "1000000000000",
    '"/dev/zero"', '"../x"', '"\\x1b[2J"', "λ", "adam()", "steps(0.1, [2, 1], 0.1)", "uniform(-1)",
)  # fmt: skip
HEAD = """\
input x[T, 4]
input k: int(5)
input s
target t: int(3)
layer f = linear(4)
block x -> g(n, m = 2) { x -> linear(n) -> relu }
"""
OPERATORS = ["+", "-", "*", "/", "//", "%", "^", "@", "==", "!=", "<", "<=", "and", "or", ".."]
HEADS = (
    "input", "input x[T] ->", "x[4] ->", "input a[9]\noutput a ->", "input x\noutput y =", "loss =",
    "input x[3]\ntarget y\nloss = x -> linear(1) -> sum(0) ->",
)  # fmt: skip


@cache
def names() -> tuple[str, ...]:
    """Everything that can be called."""
    defined = {
        st.name
        for model in prelude_trees()
        for st in model.statements
        if isinstance(st, tree.Op | tree.Block)
    }
    return tuple(sorted({*builtins(), *defined, *SCHEDULES}))


@cache
def words() -> tuple[str, ...]:
    """Names of arguments."""
    formals = {
        formal.name
        for model in prelude_trees()
        for st in model.statements
        if isinstance(st, tree.Op | tree.Block)
        for formal in st.formals
    }
    return tuple(sorted(formals | {"axis", "keep", "nonsense"}))


def value(random: Random, depth: int = 2) -> str:
    """A value of any kind, sometimes inside another."""
    if not depth or random.random() < 0.7:
        return random.choice(VALUES)
    one, other = value(random, depth - 1), value(random, depth - 1)
    shapes = (
        f"({one}) {random.choice(OPERATORS)} ({other})", f"[{one}, {other}]", f"({one}, {other})",
        f"{{{one}: {other}}}", f"if {one} {{ {other} }} else {{ {one} }}", f"-{one}", call(random, 0),
        f"({one} -> {call(random, 0)})", f"repeat {one} {{ {call(random, 0)} }}",
        f"each w in {one} {{ {other} }}", f"scan {{ {other} }}",
    )  # fmt: skip
    return random.choice(shapes)


def call(random: Random, depth: int = 1) -> str:
    """A call with up to four arguments of any kind."""
    given = [value(random, depth) for _ in range(random.choice((0, 1, 1, 2, 2, 3, 4)))]
    if random.random() < 0.4:
        given.append(f"{random.choice(words())} = {value(random, depth)}")
    return f"{random.choice(names())}({', '.join(given)})"


def calls(random: Random) -> str:
    """A few calls as values and as stages."""
    lines = []
    for number in range(random.choice((1, 2, 4, 8))):
        flow = value(random, 1)
        form = random.choice((call(random), f"x -> {call(random)}", f"{flow} -> {call(random)}"))
        lines.append(
            f"{random.choice((f'a{number} =', f'output o{number} =', 'metric =', 'loss ='))} {form}"
        )
    return HEAD + "\n".join([*lines, "output z = x -> linear(2)"])


def training(random: Random) -> str:
    """A model that is right, and settings that need not be."""
    keys = random.sample(list(CHECKS), random.choice((1, 2, 3, 6)))
    lines = [f"  {key} = {random.choice((value, value, call, setting))(random)}" for key in keys]
    text = HEAD + "loss = x -> mean(0) -> linear(3) -> cross_entropy(t)\n"
    return text + "\n".join(["train {", *lines, "}"])


def setting(random: Random) -> str:
    """A call of the right sort with arguments of any."""
    rules = ("sgd", "adam", "adamw", "adagrad", "adadelta", "rmsprop", *SCHEDULES)
    rules += ("digits", "csv", "npz", "lines", "text", "libsvm", "npy", "mnist")
    numbers = ("0.1", "3", "[1, 2]", "0", "-1", '"a"', "{1: 0.1}", "[0.1, 0.2]", "true")
    given = [random.choice((*numbers, value(random, 1))) for _ in range(random.randrange(4))]
    if random.random() < 0.5:
        keys = (
            "lr",
            "momentum",
            "warmup",
            "factor",
            "after",
            "every",
            "patience",
            "period",
            "rates",
        )
        inner = f"{random.choice(list(SCHEDULES))}({random.choice(numbers)})"
        given.append(f"{random.choice(keys)} = {random.choice((*numbers, inner))}")
    return f"{random.choice(rules)}({', '.join(given)})"


def definitions(random: Random) -> str:
    """Blocks, ops, rules, parameters and checks with parts of any kind."""
    one, two, three = (value(random) for _ in range(3))
    size = random.choice(("", "[T]", "[C, H]", f"[{one}]", "[T, 4]"))
    forms = (
        f"block a{size} -> b(n = {one}) {{\n  a -> {call(random)}\n}}\ny = x -> b({two})",
        f"block (a, b) -> c(n = {one}, *, m) {{\n  (a, b) -> {call(random)}\n}}\ny = (x, {two}) -> c",
        f"block a -> b(act = {one}) {{\n  state h[4] = {two}\n  next h = {three}\n  h\n}}\n"
        "y = x -> scan { b }",
        f"op h(a, b = {one}) = {two}\ny = h(x, {three})",
        f"rule (w, grad) -> r(lr = {one}) {{\n  state v = {two}\n  next v = {three}\n  w - lr * v\n}}\n"
        "loss = x -> mean(0) -> linear(3) -> cross_entropy(t)\ntrain {\n  optimizer = r()\n}",
        f"param p = {one} in {two}\ny = x -> linear(p)",
        f'check {one} : "a" hint {random.choice((two, chr(34) * 2))}\ny = x',
        f"weight w[{one}] = {two}\ny = x * w",
        f"block a -> b() {{\n  running m[4] = {one}\n  next m = {two}\n  a + m\n}}\ny = x -> b",
        f"input z[{one}]: int({two}, pad = {three})\ny = z -> embedding(3)",
        "block a -> b() { a -> b }\ny = x -> b", f"y{size} = {one}\nu, v = {two}",
    )  # fmt: skip
    return HEAD + random.choice(forms) + "\noutput o = y"


def one_liner(random: Random) -> str:
    """As after `-e`."""
    stages = [
        random.choice((call(random, 0), random.choice(names()), value(random, 1)))
        for _ in range(random.choice((1, 2, 3, 6)))
    ]
    return f"{random.choice(HEADS)} {' -> '.join(stages)}"


def growing(random: Random) -> str:
    """Short texts that would unfold into much, were there no limits."""
    number = random.choice(("10", "100", "2000", "9999", "10000", "10001", "10^6", "10^12"))
    layer = random.choice(("relu", "linear(9)", "lstm(9)", "conv(3, 3, pad = 1)", call(random, 0)))
    head = f"input x[{random.choice(('T, 9', '9', '3, 9, 9', '10^9', '2^31'))}]\n"
    deep = random.choice((2, 5, 30))
    forms = (
        f"output y = x -> repeat {number} {{ {layer} }}",
        f"output y = x -> {'repeat 9 { ' * deep}{layer}{' }' * deep}",
        f"output y = x -> each i in 1..{number} {{ {layer} }} -> concat",
        f"output y = x -> linear({number}) -> linear({number}) -> linear({number})",
        "a0 = [1, 2]\n" + "".join(f"a{i + 1} = a{i} + a{i}\n" for i in range(deep)) + "output y = x",
        f"output y = x -> {'(' * deep * 9}relu{')' * deep * 9}",
        f"output y = x{f' -> {layer}' * deep * 20}",
        "".join(f"block x -> b{i}() {{ x -> b{i + 1} -> b{i + 1} }}\n" for i in range(deep))
        + f"block x -> b{deep}() {{ x -> relu }}\noutput y = x -> b0",
        f"a = {'2^' * deep}2\noutput y = x * a", f"output y = reshape(x, [{number}, {number}])",
        f"weight w[{number}, {number}] = 1\noutput y = x * sum(w)",
        f"layer f = {layer}\noutput y = x -> repeat {number} {{ f }}",
    )  # fmt: skip
    return head + random.choice(forms)


GROWING = 0.01  # each takes a hundred times as long as another
KINDS: tuple[Callable[[Random], str], ...] = (
    calls, calls, calls, training, training, definitions, definitions, one_liner,
)  # fmt: skip


def made_up(random: Random) -> str:
    """A text of any of these kinds, seldom one that grows."""
    return growing(random) if random.random() < GROWING else random.choice(KINDS)(random)
