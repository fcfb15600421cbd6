"""Networks of `growth.py` from lists of layers, as texts for graphdl and as modules of PyTorch.

A list begins with the shape of an example; `("conv", 16)` and its like follow.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from timing import Step

Layers = list[Any]
THREADS = 2

# Residual layers begin small and learn slowly: else hundreds of them overflow, here as in PyTorch.
BLOCKS = """
block x[n] -> residual(m) { x + (x -> linear(m, init = uniform(0.01 / sqrt(m))) -> relu) }
block x -> conv_bn(maps, k = 3, stride = 1) {
  x -> conv(maps, k, stride = stride, pad = k // 2, bias = false) -> batch_norm
}
block x[C, H, W] -> bottom(maps, stride = 1) {
  main = x -> conv_bn(maps, 3, stride) -> relu -> conv_bn(maps)
  skip = x -> if C != maps or stride != 1 { conv_bn(maps, 1, stride) }
  main + skip -> relu
}
block x -> resnet(n) {
  x -> conv_bn(16) -> relu -> repeat n { bottom(16) }
    -> bottom(32, 2) -> repeat n - 1 { bottom(32) }
    -> bottom(64, 2) -> repeat n - 1 { bottom(64) }
    -> global_avg_pool
}
"""


def text(layers: Layers) -> str:
    """The model's file."""
    made, flat = [], len(layers[0]) == 1
    for kind, size in layers[1:]:
        if kind in ("dense", "out") and not flat:
            made.append("flatten")
            flat = True
        made.append({
            "conv": f"conv({size}, 5, pad = 2) -> relu -> max_pool(2)",
            "dense": f"linear({size}) -> relu",
            "residual": f"residual({size})",
            "resnet": f"resnet({size})",
            "out": f"linear({size})",
        }[kind])  # fmt: skip
        flat = flat or kind == "resnet"
    shape = ", ".join(map(str, layers[0]))
    return (
        f"{BLOCKS}input x[{shape}]\ntarget y: int(10)\nloss = x -> {' -> '.join(made)}\n"
        "  -> cross_entropy(y)\ntrain { optimizer = sgd(lr = 1e-6, momentum = 0.9) }\n"
    )


def prepared(layers: Layers, count: int) -> tuple[Any, Step]:
    """The project's network, and a training step of it."""
    net = import_module("graphdl").compile(text(layers))
    batch = net.blank(count)
    return net, lambda: net.step(**batch)


def ours(layers: Layers, count: int) -> Step:
    """A training step of the project."""
    return prepared(layers, count)[1]


def torchs(layers: Layers, count: int) -> Step:
    """The same in PyTorch eager."""
    torch = import_module("torch")
    nn = torch.nn
    torch.set_num_threads(THREADS)
    parts: list[Any] = []
    shape, side = layers[0], layers[0][-1]
    before = shape[0]
    for kind, size in layers[1:]:
        if kind == "conv":
            parts += [nn.Conv2d(before, size, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
            side //= 2
        elif kind == "residual":
            inner = nn.Linear(before, size)
            nn.init.uniform_(inner.weight, -0.01 / size**0.5, 0.01 / size**0.5)
            parts.append(_beside(nn, nn.Sequential(inner, nn.ReLU())))
        elif kind == "resnet":
            parts += [*_resnet(nn, size), nn.AdaptiveAvgPool2d(1)]
            size, side = 64, 1
        else:
            if len(shape) == 3:
                parts.append(nn.Flatten())
                before, shape = before * side * side, (0,)
            parts += [nn.Linear(before, size), *([nn.ReLU()] if kind == "dense" else [])]
        before = size
    model = nn.Sequential(*parts)
    rule = torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9)
    x, y = torch.randn(count, *layers[0]), torch.randint(0, 10, (count,))

    def step() -> None:
        rule.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(x), y).backward()
        rule.step()

    return step


def _beside(nn: Any, inner: Any, skip: Any = None) -> Any:
    """What is added to its input, or to what `skip` makes of it."""

    class Residual(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.skip = inner, skip or nn.Identity()

        def forward(self, x: Any) -> Any:
            return self.skip(x) + self.inner(x)

    return Residual()


def _resnet(nn: Any, n: int) -> list[Any]:
    def conv(before: int, maps: int, kernel: int = 3, stride: int = 1) -> list[Any]:
        made = nn.Conv2d(before, maps, kernel, stride, padding=kernel // 2, bias=False)
        return [made, nn.BatchNorm2d(maps)]

    parts, before = [*conv(1, 16), nn.ReLU()], 16
    for maps in (16, 32, 64):
        for number in range(n):
            stride = 2 if maps > 16 and number == 0 else 1
            inner = nn.Sequential(*conv(before, maps, 3, stride), nn.ReLU(), *conv(maps, maps))
            skip = nn.Sequential(*conv(before, maps, 1, stride)) if stride > 1 else None
            parts += [_beside(nn, inner, skip), nn.ReLU()]
            before = maps
    return parts
