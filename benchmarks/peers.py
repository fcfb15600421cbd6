"""The workloads of `steps.py` in PyTorch and JAX: run it in an environment that has them.

    python benchmarks/peers.py torch               # PyTorch eager
    python benchmarks/peers.py compile cnn32 lm    # torch.compile, only these workloads
    python benchmarks/peers.py jax

Each is one training step on fixed random data in float32, on two threads; a line of JSON for each
workload. `logreg_epoch` is single-example SGD over all points in one call, where the peer has such
calls, per example. `vs_peers.py` runs this and `steps.py` in turn.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from typing import Any

import numpy as np
from timing import Step, measure, nothing

THREADS = 2
POINTS = 862
WORKLOADS = (
    "logreg1",
    "logreg_epoch",
    "mlp32",
    "mlp32_adam",
    "cnn32",
    "cnn128",
    "lm",
    "kim",
    "kim_static",
)
BUDGET = 4.0  # seconds for a workload


class Torch:
    """PyTorch, eager or compiled."""

    def __init__(self, compiled: bool) -> None:
        import torch

        torch.manual_seed(0)
        torch.set_num_threads(THREADS)
        self.torch = torch
        self.wrap: Any = torch.compile if compiled else (lambda model: model)

    def step(self, name: str) -> tuple[Step, Step, int] | None:
        """A training step, what waits for it, and how many examples it stands for."""
        torch, nn = self.torch, self.torch.nn
        if name == "logreg_epoch":
            return None
        if name == "logreg1":
            model = nn.Sequential(nn.Linear(2, 2))
            x, y = torch.randn(1, 2), torch.zeros(1, dtype=torch.long)
            return self._step(model, x, y, self._sgd(model, 0.1, 0.0)), nothing, 1
        if name.startswith("mlp"):
            model = nn.Sequential(
                *(nn.Linear(784, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh()),
                nn.Linear(200, 10),
            )
            x, y = torch.randn(32, 784), torch.randint(0, 10, (32,))
            rule = self._adam(model) if "adam" in name else self._sgd(model, 0.01, 0.9)
            return self._step(model, x, y, rule), nothing, 1
        if name.startswith("cnn"):
            count = int(name[3:])
            model = self._cnn()
            x, y = torch.randn(count, 1, 28, 28), torch.randint(0, 10, (count,))
            return self._step(model, x, y, self._sgd(model, 0.01, 0.9)), nothing, 1
        if name == "lm":
            model = _language_model(nn)
            x, y = torch.randint(0, 10_000, (20, 20)), torch.randint(0, 10_000, (400,))
            return self._step(model, x, y, self._sgd(model, 1.0, 0.0), clip=5), nothing, 1
        model = _sentence_network(nn)
        model.embed.weight.requires_grad = name == "kim"
        x, y = torch.randint(0, 20_000, (50, 56)), torch.randint(0, 2, (50,))
        return self._step(model, x, y, self._adam(model)), nothing, 1

    def _step(self, model: Any, x: Any, y: Any, rule: Any, clip: float | None = None) -> Step:
        net, functional = self.wrap(model), self.torch.nn.functional

        def run() -> None:
            rule.zero_grad(set_to_none=True)
            functional.cross_entropy(net(x), y).backward()
            if clip:
                self.torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            rule.step()

        return run

    def _sgd(self, model: Any, lr: float, momentum: float) -> Any:
        return self.torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)

    def _adam(self, model: Any) -> Any:
        return self.torch.optim.Adam([p for p in model.parameters() if p.requires_grad])

    def _cnn(self) -> Any:
        nn = self.torch.nn
        return nn.Sequential(
            *(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(1568, 200), nn.ReLU(), nn.Linear(200, 10)),
        )


def _language_model(nn: Any) -> Any:
    class LanguageModel(nn.Module):  # type: ignore[misc]
        def __init__(self, words: int = 10_000, size: int = 200) -> None:
            super().__init__()
            self.embed, self.lstm = nn.Embedding(words, size), nn.LSTM(size, size, 2)
            self.out = nn.Linear(size, words)

        def forward(self, words: Any) -> Any:
            return self.out(self.lstm(self.embed(words))[0]).flatten(0, 1)

    return LanguageModel()


def _sentence_network(nn: Any) -> Any:
    class Kim(nn.Module):  # type: ignore[misc]
        def __init__(self, words: int = 20_000, size: int = 300, maps: int = 100) -> None:
            super().__init__()
            self.embed = nn.Embedding(words, size)
            self.convs = nn.ModuleList(nn.Conv1d(size, maps, k) for k in (3, 4, 5))
            self.drop, self.out = nn.Dropout(0.5), nn.Linear(3 * maps, 2)

        def forward(self, words: Any) -> Any:
            import torch

            e = self.embed(words).transpose(1, 2)
            best = [torch.relu(conv(e)).amax(2) for conv in self.convs]
            return self.out(self.drop(torch.cat(best, 1)))

    return Kim()


class Jax:
    """JAX, its steps compiled by `jit`; Adam and the sentence networks are left to PyTorch."""

    def __init__(self) -> None:
        import jax

        self.jax, self.rng = jax, np.random.default_rng(0)

    def step(self, name: str) -> tuple[Step, Step, int] | None:
        """A training step, what waits for it, and how many examples it stands for."""
        if name == "logreg_epoch":
            return self._epoch()
        if name == "logreg1":
            p = [self._draw(2, 2), self._draw(2)]
            return self._step(_logreg, p, self._draw(1, 2), self._ids(2, 1), 0.1, 0.0)
        if name == "mlp32":
            p = self._dense(784, 200, 200, 10)
            return self._step(self._mlp, p, self._draw(32, 784), self._ids(10, 32), 0.01, 0.9)
        if name in ("cnn32", "cnn128"):
            count = int(name[3:])
            p = [self._draw(5, 5, 1, 16), self._draw(16), self._draw(5, 5, 16, 32), self._draw(32)]
            p += self._dense(1568, 200, 10)
            x = self._draw(count, 28, 28, 1)
            return self._step(self._cnn, p, x, self._ids(10, count), 0.01, 0.9)
        if name == "lm":
            cell = [[self._draw(200, 800), self._draw(200, 800), self._draw(800)] for _ in "12"]
            p = [self._draw(10_000, 200), *cell, self._draw(200, 10_000), self._draw(10_000)]
            words, y = self._ids(10_000, 20, 20), self._ids(10_000, 400)
            return self._step(self._lm, p, words, y, 1.0, 0.0, clip=5.0)
        return None

    def _draw(self, *shape: int) -> Any:
        return self.jax.numpy.asarray(0.05 * self.rng.standard_normal(shape), dtype="float32")

    def _ids(self, high: int, *shape: int) -> Any:
        return self.jax.numpy.asarray(self.rng.integers(0, high, shape))

    def _dense(self, *sizes: int) -> list[Any]:
        return [part for a, b in pairwise(sizes) for part in (self._draw(a, b), self._draw(b))]

    def _loss(self, z: Any, y: Any) -> Any:
        jnp = self.jax.numpy
        return -jnp.mean(jnp.take_along_axis(self.jax.nn.log_softmax(z), y[:, None], 1))

    def _step(
        self,
        model: Any,
        params: Any,
        x: Any,
        y: Any,
        lr: float,
        momentum: float,
        clip: float | None = None,
    ) -> tuple[Step, Step, int]:
        jax, jnp, tree = self.jax, self.jax.numpy, self.jax.tree
        state = [params, tree.map(jnp.zeros_like, params)]

        @jax.jit  # type: ignore[untyped-decorator]
        def update(p: Any, m: Any) -> Any:
            g = jax.grad(lambda p: self._loss(model(p, x), y))(p)
            if clip:
                norm = jnp.sqrt(sum(jnp.vdot(a, a) for a in tree.leaves(g)))
                g = tree.map(lambda a: a * jnp.minimum(1.0, clip / norm), g)
            m = tree.map(lambda a, b: momentum * a + b, m, g)
            return tree.map(lambda a, b: a - lr * b, p, m), m

        def run() -> None:
            state[:] = update(*state)

        return run, lambda: jax.block_until_ready(state), 1

    def _epoch(self) -> tuple[Step, Step, int]:
        jax = self.jax
        x, y = self._draw(POINTS, 2), self._ids(2, POINTS)
        state = [(self._draw(2, 2), self._draw(2))]

        def loss(p: Any, x: Any, y: Any) -> Any:
            return -jax.nn.log_softmax(x @ p[0] + p[1])[y]

        @jax.jit  # type: ignore[untyped-decorator]
        def epoch(p: Any) -> Any:
            def body(p: Any, xy: Any) -> Any:
                return jax.tree.map(lambda a, b: a - 0.1 * b, p, jax.grad(loss)(p, *xy)), None

            return jax.lax.scan(body, p, (x, y))[0]

        def run() -> None:
            state[0] = epoch(state[0])

        return run, lambda: jax.block_until_ready(state), POINTS

    def _mlp(self, p: Any, x: Any) -> Any:
        tanh = self.jax.numpy.tanh
        return tanh(tanh(x @ p[0] + p[1]) @ p[2] + p[3]) @ p[4] + p[5]

    def _cnn(self, p: Any, x: Any) -> Any:
        jax = self.jax
        for w, b in ((p[0], p[1]), (p[2], p[3])):
            layout = ("NHWC", "HWIO", "NHWC")
            z = jax.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=layout)
            window = (1, 2, 2, 1)
            z = jax.nn.relu(z + b)
            x = jax.lax.reduce_window(z, -np.inf, jax.lax.max, window, window, "VALID")
        h = jax.nn.relu(x.reshape(len(x), -1) @ p[4] + p[5])
        return h @ p[6] + p[7]

    def _lm(self, p: Any, words: Any) -> Any:
        x = p[0][words]
        for cell in p[1:3]:
            x = self._lstm(cell, x)
        return (x @ p[3] + p[4]).reshape(-1, p[4].shape[0])

    def _lstm(self, p: Any, x: Any, size: int = 200) -> Any:
        jax, jnp = self.jax, self.jax.numpy
        w, u, b = p

        def cell(carry: Any, given: Any) -> Any:
            h, c = carry
            i, f, g, o = jnp.split(given + h @ u, 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zero = jnp.zeros((x.shape[1], size))
        return jax.lax.scan(cell, (zero, zero), x @ w + b)[1]


def _logreg(p: Any, x: Any) -> Any:
    return x @ p[0] + p[1]


def main(peer: str, *names: str) -> None:
    """Time one peer on the workloads named, or on all."""
    made = Jax() if peer == "jax" else Torch(compiled=peer == "compile")
    for name in names or WORKLOADS:
        found = made.step(name)
        if found is None:
            continue
        step, sync, count = found
        median, least = (1e6 * seconds / count for seconds in measure(step, BUDGET, sync))
        line = {"peer": peer, "workload": name, "us_median": median, "us_min": least}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
