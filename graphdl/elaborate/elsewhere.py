"""What other libraries call by a name of their own, and how it is written here."""

from __future__ import annotations

from ..syntax import tree

FORMULAS = {
    "celu": "max(0, x) + min(0, exp(min(x, 0)) - 1)",
    "hard_sigmoid": "min(max(x / 6 + 0.5, 0), 1)",
    "hard_swish": "x * min(max(x / 6 + 0.5, 0), 1)",
    "hard_tanh": "min(max(x, -1), 1)",
    "log_sigmoid": "-softplus(-x)",
    "mish": "x * tanh(softplus(x))",
    "relu6": "min(max(x, 0), 6)",
    "selu": "1.0507009873554805 * elu(x, 1.6732632423543772)",
    "silu": "x * sigmoid(x)",
    "square": "x * x",
    "swish": "x * sigmoid(x)",
    "tanh_shrink": "x - tanh(x)",
}
LAYERS = {"affine": "linear", "dense": "linear", "fc": "linear", "fullyconnected": "linear"}


def known_elsewhere(name: str) -> str:
    """What to type for a name of other libraries; nothing where none is known."""
    plain = name.lower().replace("_", "")
    for known, formula in FORMULAS.items():
        if plain == known.replace("_", ""):
            return f"write `op {name}(x) = {formula}` above"
    if plain in LAYERS:
        return f"it is called `{LAYERS[plain]}` here"
    return ""


def own_definition(name: str, stage: tree.Expression | None) -> str:
    """What to type for a layer that nobody has defined."""
    if isinstance(stage, tree.Call):
        return f"write one of your own: `block x -> {name}(n) {{ ... }}`"
    return (
        f"for a function of each number write `op {name}(x) = ...` above; "
        f"to name this value, `{name} = ...` at the start of the line"
    )
