"""Model graphs written by hand, so that drawing is tested without the compiler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from graphdl.errors import Source
from graphdl.graph import Graph, Initial, Node, Shaped, Weight, Wire
from graphdl.program import Size

Shape = tuple[Any, ...]


class Sketch:
    """Builds a graph line by line; `add` returns the node's name for the next line."""

    def __init__(self, name: str = "sketch.gdl") -> None:
        self.graph = Graph(Source(name, ""))

    def add(
        self,
        name: str,
        label: str,
        shape: Shape = (),
        *inputs: str,
        arguments: str = "",
        kind: Any = "layer",
        scopes: tuple[str, ...] = (),
        weights: Mapping[str, tuple[int, ...]] | None = None,
        doc: str = "",
        **extra: Any,
    ) -> str:
        for weight, size in (weights or {}).items():
            running: Any = "running" if weight.endswith(("mean", "var")) else "weight"
            made = Weight(weight, size, Initial("uniform", (0.1,)), running)
            self.graph.weights.setdefault(weight, made)
        self.graph.nodes[name] = Node(
            name,
            kind,
            label,
            arguments,
            scopes,
            tuple(Wire(i) for i in inputs),
            (Shaped(shape, "int" if "classes" in extra else "float", **extra),),
            tuple(weights or ()),
            doc=doc,
        )
        return name

    def conv(
        self, name: str, x: str, shape: Shape, maps: int, channels: int, k: int, **more: Any
    ) -> str:
        weights = {f"{name}.weight": (maps, channels, k, k), f"{name}.bias": (maps,)}
        return self.add(name, "conv", shape, x, arguments=f"{maps}, {k}", weights=weights, **more)

    def linear(
        self, name: str, x: str, n: int, wide: int, shape: Shape | None = None, **more: Any
    ) -> str:
        weights = {f"{name}.weight": (n, wide), f"{name}.bias": (n,)}
        shape = shape or (n,)
        return self.add(name, "linear", shape, x, arguments=str(n), weights=weights, **more)


def cnn() -> Graph:
    s = Sketch("cnn.gdl")
    s.add("image", "image", (1, 28, 28), kind="input", doc="A grey picture of a digit.")
    s.add("digit", "digit", (), kind="target", classes=10)
    s.conv("logits.conv#1", "image", (16, 28, 28), 16, 1, 5)
    s.add("logits.relu#1", "relu", (16, 28, 28), "logits.conv#1", kind="op")
    s.add("logits.max_pool#1", "max_pool", (16, 14, 14), "logits.relu#1", arguments="2")
    s.conv("logits.conv#2", "logits.max_pool#1", (32, 14, 14), 32, 16, 5)
    s.add("logits.relu#2", "relu", (32, 14, 14), "logits.conv#2", kind="op")
    s.add("logits.max_pool#2", "max_pool", (32, 7, 7), "logits.relu#2", arguments="2")
    s.add("logits.flatten", "flatten", (1568,), "logits.max_pool#2")
    s.linear("logits.linear#1", "logits.flatten", 200, 1568)
    s.add("logits.relu#3", "relu", (200,), "logits.linear#1", kind="op")
    s.linear("logits.linear#2", "logits.relu#3", 10, 200)
    s.add("probs.softmax", "softmax", (10,), "logits.linear#2")
    s.add("loss.cross_entropy", "cross_entropy", (), "logits.linear#2", "digit")
    s.add("accuracy", "accuracy", (), "logits.linear#2", "digit")
    s.graph.names["logits"] = Wire("logits.linear#2")
    s.graph.outputs["probs"] = Wire("probs.softmax")
    s.graph.losses["loss"] = Wire("loss.cross_entropy")
    s.graph.metrics["accuracy"] = Wire("accuracy")
    return s.graph


def residual(blocks: int = 2) -> Graph:
    """Blocks in blocks with skips, batch norm with running statistics."""
    s = Sketch("resnet.gdl")
    x = s.add("image", "image", (3, 32, 32), kind="input")
    s.add("label", "label", (), kind="target", classes=10)

    def conv_bn(prefix: str, x: str, scopes: tuple[str, ...], channels: int) -> str:
        scopes = (*scopes, prefix)
        weights = {f"{prefix}.conv.weight": (16, channels, 3, 3)}
        more: dict[str, Any] = {"scopes": scopes}
        s.add(
            f"{prefix}.conv",
            "conv",
            (16, 32, 32),
            x,
            arguments="16, 3, pad = 1",
            weights=weights,
            **more,
        )
        names = ("scale", "shift", "mean", "var")
        norm = {f"{prefix}.batch_norm.{n}": (16,) for n in names}
        return s.add(
            f"{prefix}.batch_norm",
            "batch_norm",
            (16, 32, 32),
            f"{prefix}.conv",
            weights=norm,
            **more,
        )

    x = conv_bn("logits.conv_bn", x, (), 3)
    x = s.add("logits.relu", "relu", (16, 32, 32), x, kind="op")
    for i in range(1, blocks + 1):
        block = f"logits.residual#{i}"
        inside: dict[str, Any] = {"scopes": (block,)}
        a = conv_bn(f"{block}.conv_bn#1", x, (block,), 16)
        a = s.add(f"{block}.relu#1", "relu", (16, 32, 32), a, kind="op", **inside)
        a = conv_bn(f"{block}.conv_bn#2", a, (block,), 16)
        s.graph.names[f"{block}.main"] = Wire(a)
        a = s.add(f"{block}.add", "+", (16, 32, 32), a, x, kind="op", **inside)
        x = s.add(f"{block}.relu#2", "relu", (16, 32, 32), a, kind="op", **inside)
    x = s.add("logits.global_avg_pool", "global_avg_pool", (16,), x)
    x = s.linear("logits.linear", x, 10, 16)
    s.add("output.softmax", "softmax", (10,), x)
    s.add("loss.cross_entropy", "cross_entropy", (), x, "label")
    s.graph.names["logits"] = Wire(x)
    s.graph.outputs["output"] = Wire("output.softmax")
    s.graph.losses["loss"] = Wire("loss.cross_entropy")
    return s.graph


def siamese() -> Graph:
    """A shared tower, symbolic sizes, a bare weight, one-letter operators."""
    s = Sketch("siamese.gdl")
    length = Size.named("T")
    s.add("left", "left", (length,), kind="input", classes=20000)
    s.add("right", "right", (length,), kind="input", classes=20000)
    for side in ("left", "right"):
        name = f"{side[0]}"
        s.add(
            f"{name}.embedding",
            "embedding",
            (length, 64),
            side,
            arguments="20000, 64",
            weights={"tower.embedding.weight": (20000, 64)},
        )
        s.add(
            f"{name}.linear",
            "linear",
            (length, 32),
            f"{name}.embedding",
            arguments="32",
            weights={"tower.linear.weight": (32, 64), "tower.linear.bias": (32,)},
        )
        s.add(f"{name}.last", "max_over_time", (32,), f"{name}.linear")
        s.graph.names[name] = Wire(f"{name}.last")
    s.add(
        "scale",
        "scale",
        (32,),
        kind="weight",
        weights={"scale": (32,)},
        batched=False,
        doc="How much each feature counts.",
    )
    s.add("d.sub", "-", (32,), "l.last", "r.last", kind="op")
    s.add("d.mul", "*", (32,), "d.sub", "scale", kind="op")
    s.add("loss.contrastive", "contrastive", (), "d.mul", arguments="margin = 1.0")
    s.graph.losses["loss"] = Wire("loss.contrastive")
    s.graph.outputs["d"] = Wire("d.mul")
    return s.graph


HOSTILE = (
    'a"b',
    "back\\",
    "\\N",
    "<b>&amp;",
    "two\nlines",
    "a:b:c",
    "nul\x00",
    "é→漢",
    "]>",
    "",
    " ",
    "{x|y}",
)


def hostile() -> Graph:
    """Names no model file could hold, but a broken tool could."""
    s = Sketch("hostile.gdl")
    before: tuple[str, ...] = ()
    for i, name in enumerate(HOSTILE):
        s.add(
            f"{i}{name}".replace(":", "!"),
            name,
            (1,),
            *before,
            arguments=name,
            scopes=(f"s{name}",),
            doc=name,
        )
        before = (f"{i}{name}".replace(":", "!"),)
        s.graph.names[f"{name}{i}"] = Wire(before[0])
        s.graph.outputs[f"o{name}"] = Wire(before[0])
    return s.graph


GRAPHS = {"cnn": cnn, "residual": residual, "siamese": siamese, "hostile": hostile}


@pytest.fixture
def sketches() -> dict[str, Callable[[], Graph]]:
    return dict(GRAPHS)
