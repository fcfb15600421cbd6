"""Train from arrays: two spirals of points, a model written in the program, nothing but NumPy.

    python examples/train_arrays.py

Prints the share of new points that the trained net gets right.
"""

from __future__ import annotations

import numpy as np

import graphdl as gdl

MODEL = """
input  point[2]
target arm: int(2)
scores = point -> repeat 2 { linear(32) -> tanh } -> linear(2)
output probs = scores -> softmax
loss         = scores -> cross_entropy(arm)
metric       = scores -> accuracy(arm)
train { optimizer = adam(lr = 0.01) }
"""


def spirals(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points [count, 2] on two arms that wind round each other, and the arm of each."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 2, count)
    turn = rng.uniform(0.5, 3.0, count)
    angle = np.pi * (turn + arm)
    points = turn[:, None] / 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + 0.02 * rng.standard_normal((count, 2)), arm


def main(epochs: int = 40) -> float:
    """Trains, and prints how many new points are told apart."""
    net = gdl.compile(MODEL, seed=1)
    points, arm = spirals(1000, seed=1)
    net.fit(point=points, arm=arm, epochs=epochs, batch=32)
    points, arm = spirals(1000, seed=2)
    right = float(np.mean(net(point=points)["probs"].argmax(axis=1) == arm))
    print(f"{right:.1%} of new points are on the arm that the net says")
    return right


if __name__ == "__main__":
    main()
