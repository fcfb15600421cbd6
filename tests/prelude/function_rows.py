"""The functions of the compiler that move, reduce, pick and slide."""

from __future__ import annotations

import numpy as np

from .row import Row
from .windows import convolved, pooled

IMAGE = "x[2, 4, 3]"
SERIES = "x[T, 4]"

ROWS = [
    Row(
        "sum",
        "sum(x, -1)",
        SERIES,
        lambda d: d.x @ np.ones(4),
        wrong=(
            ("sum(x, 2)", SERIES, "E0411", "[T, 4] has no axis 2"),
            ("sum(x, 0.5)", SERIES, "E0411", "[T, 4] has no axis 0.5"),
        ),
    ),
    Row("sum", "sum(x, [0, 2])", IMAGE, lambda d: np.einsum("bchw->bh", d.x)),
    Row("sum", "sum(x)", SERIES, lambda d: np.einsum("btd->", d.x), single=1e-4),
    Row("sum", "x * sum(x, batch)", SERIES, lambda d: d.x * (d.x[0] + d.x[1] + d.x[2])),
    Row("mean", "mean(x)", SERIES, lambda d: d.x.sum() / 60),
    Row("mean", "mean(x, 0)", SERIES, lambda d: np.einsum("btd->bd", d.x) / 5),
    Row(
        "mean",
        "x - mean(x, [batch, 0], keep = true)",
        SERIES,
        lambda d: d.x - d.x.sum((0, 1)) / 15,
        wrong=(("mean(x, 1)", "x[4]", "E0411", "[4] has no axis 1"),),
    ),
    Row(
        "amax",
        "amax(x, [1, 2], keep = true)",
        IMAGE,
        lambda d: np.sort(d.x.reshape(3, 2, -1))[..., -1:, None],
        wrong=(("amax(x, 1)", "x[4]", "E0411", "[4] has no axis 1"),),
    ),
    Row(
        "amin",
        "amin(x, 0)",
        SERIES,
        lambda d: np.sort(d.x, 1)[:, 0],
        wrong=(("amin(x, 1)", "x[4]", "E0411", "[4] has no axis 1"),),
    ),
    Row(
        "argmax",
        "argmax(x)",
        SERIES,
        lambda d: np.argsort(-d.x, -1, kind="stable")[..., 0],
        smooth=False,
        wrong=(("argmax(x, 1)", "x[4]", "E0411", "[4] has no axis 1"),),
    ),
    Row("argmax", "argmax(x, 0)", SERIES, lambda d: d.x.argmax(1), smooth=False),
    Row(
        "argmax",
        "argmax(x)",
        "x[4]",
        lambda _: np.array([1, 1, 1]),
        data={"x": [0, 5, 5, 1]},
        smooth=False,
    ),
    Row(
        "reshape",
        "reshape(x, [4, 6])",
        IMAGE,
        lambda d: d.x.reshape(3, 4, 6),
        wrong=(
            (
                "reshape(x, [5])",
                IMAGE,
                "E0402",
                "cannot reshape [2, 4, 3] to [5]: 24 numbers do not fill 5",
            ),
            ("reshape(x, 24)", IMAGE, "E0413", "`shape` wants a list of sizes, not 24"),
        ),
    ),
    Row("reshape", "reshape(x, [size(x, 0) * 4])", SERIES, lambda d: d.x.reshape(3, 20)),
    Row("transpose", "transpose(x)", SERIES, lambda d: np.einsum("btd->bdt", d.x)),
    Row(
        "transpose",
        "transpose(x, [2, 0, 1])",
        IMAGE,
        lambda d: np.einsum("bchw->bwch", d.x),
        wrong=(
            ("transpose(x, [0, 1])", IMAGE, "E0411", "[0, 1] is not an order of the axes"),
            ("transpose(x)", "x[4]", "E0401", "`transpose` wants at least two axes"),
        ),
    ),
    Row("concat", "(a, b) -> concat", "a[3]; b[2]", lambda d: np.hstack([d.a, d.b])),
    Row(
        "concat",
        "(a, b, a) -> concat",
        "a[1, 4, 4]; b[2, 4, 4]",
        lambda d: np.concatenate([d.a, d.b, d.a], 1),
        wrong=(
            (
                "(a, b) -> concat",
                "a[1, 4, 4]; b[2, 4, 3]",
                "E0403",
                "`concat` needs equal sizes except axis 0: 4 vs 3 on axis 2",
            ),
            ("(a, b) -> concat", "a[3]; b[2, 3]", "E0403", "`concat` cannot join [3] and [2, 3]"),
        ),
    ),
    Row(
        "concat",
        "(a, b) -> concat(axis = 0)",
        "a[T, 2]; b[3, 2]",
        lambda d: np.concatenate([d.a, d.b], 1),
    ),
    Row(
        "split",
        "a * b",
        "x[6]",
        lambda d: d.x[:, :3] * d.x[:, 3:],
        also="a, b = x -> split(2)",
        wrong=(
            ("x -> split(4)", "x[6]", "E0315", "6 cannot be split into 4 equal parts"),
            ("x -> split(0)", "x[6]", "E0315", "`split` wants a number of parts, not 0"),
        ),
    ),
    Row(
        "split",
        "a * b",
        "x[4, 2, 3]",
        lambda d: d.x[:, :2] * d.x[:, 2:],
        also="a, b = x -> split(2)",
    ),
    Row(
        "split",
        "a * b",
        "x[4, 2]",
        lambda d: d.x[:, :2] * d.x[:, 2:],
        also="a, b = split(x, 2, axis = 0)",
    ),
    Row(
        "slice",
        "x -> slice(0, 1, 3)",
        SERIES,
        lambda d: d.x[:, [1, 2]],
        wrong=(
            ("slice(x, 0, 1, 9)", "x[4]", "E0413", "`slice` from 1 to 9 leaves the 4 of [4]"),
            ("slice(x, 1, 0, 1)", "x[4]", "E0411", "[4] has no axis 1"),
            ("slice(x, 0, 0, 1.5)", "x[4]", "E0413", "`stop` wants a whole number, not 1.5"),
        ),
    ),
    Row("slice", "slice(x, -1, 1, size(x, -1))", "x[T, 3]", lambda d: d.x[..., 1:]),
    Row("reverse", "x -> reverse", SERIES, lambda d: d.x[:, ::-1]),
    Row(
        "reverse",
        "reverse(x, 1)",
        SERIES,
        lambda d: d.x[..., ::-1],
        wrong=(("reverse(x, 1)", "x[4]", "E0411", "[4] has no axis 1"),),
    ),
    Row(
        "last",
        "x -> last",
        SERIES,
        lambda d: d.x[:, 4],
        wrong=(("norm(x) -> last", "x[4]", "E0411", "[] has no axis 0"),),
    ),
    Row("hold", "x + hold(x)", "x[4]", lambda d: d.x * 2),
    Row(
        "gather",
        "gather(w, i)",
        "i[2]: int(4)",
        lambda d: d.w[d.i],
        also="weight w[4, 3]",
        wrong=(("gather(x, x)", SERIES, "E0412", "rows are picked by whole numbers"),),
    ),
    Row("pick", "pick(x, k)", "x[4]; k: int(4)", lambda d: d.x[np.arange(3), d.k]),
    Row(
        "pick",
        "pick(x, k)",
        "x[T, 4]; k[T]: int(4)",
        lambda d: (d.x * np.eye(4)[d.k]).sum(-1),
        wrong=(
            ("pick(x, k)", "x[4]; k[4]: int(4)", "E0402", "scores [4] do not fit ids [4]"),
            ("pick(x, x)", "x[4]", "E0412", "`x` must be class numbers, but it is a float"),
        ),
    ),
    Row("positions", "sum(x, -1) + positions(x)", SERIES, lambda d: d.x.sum(-1) + np.arange(5)),
    Row(
        "convolve",
        "convolve(x, w, [2, 1], 1)",
        IMAGE,
        lambda d: convolved(d.x, d.w, (2, 1), ((1, 1), (1, 1))),
        also="weight w[3, 2, 2, 3]",
        wrong=(("convolve(x, x)", SERIES, "E0401", "`convolve` with [T, 4] cannot take [T, 4]"),),
    ),
    Row("window_max", "window_max(x, 2)", IMAGE, lambda d: pooled(d.x, (2, 2), (2, 2))),
    Row(
        "window_mean",
        "window_mean(x, 2, 1)",
        IMAGE,
        lambda d: pooled(d.x, (2, 2), (1, 1), mean=True),
        wrong=(("window_mean(x, 9)", IMAGE, "E0404", "the kernel 9x9 is larger than its input"),),
    ),
    Row(
        "window_max",
        "transpose(window_max(transpose(x), 2, 1))",
        SERIES,
        lambda d: np.maximum(d.x[:, 1:], d.x[:, :-1]),
        wrong=(("window_max(x, 9)", IMAGE, "E0404", "the kernel 9x9 is larger than its input"),),
    ),
    Row("size", "x * size(x, -1)", SERIES, lambda d: d.x * 4),
    Row(
        "size",
        "x * size(x, 0) / size(x, batch)",
        SERIES,
        lambda d: d.x * 5 / 3,
        wrong=(("x * size(x, 2)", SERIES, "E0411", "[T, 4] has no axis 2"),),
    ),
    Row("rank", "x * rank(x)", IMAGE, lambda d: d.x * 3),
    Row("count", "x * count(x)", IMAGE, lambda d: d.x * 24),
    Row(
        "classes",
        "i * classes(i)",
        "i[2]: int(5)",
        lambda d: d.i * 5,
        wrong=(("classes(x) * x", "x[4]", "E0412", "`x` must be whole numbers"),),
    ),
    Row(
        "maker",
        'if maker(z) == "relu" { z } else { x }',
        "x[4]",
        lambda d: np.maximum(d.x, 0),
        also="z = relu(x)",
    ),
    Row(
        "pair",
        "x * a * b",
        "x[4]",
        lambda d: d.x * 9,
        also="a, b = pair(3)",
        wrong=(
            ("x * area([1, 2, 3])", "x[4]", "E0413", "a whole number from 1 or a list of two is"),
        ),
    ),
    Row("area", "x * area([3, 4]) + area(2)", "x[4]", lambda d: d.x * 12 + 4),
]
