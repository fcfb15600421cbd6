"""Writes 100 points of the square and the side of a line each lies on, for models/logreg.gdl.

    python examples/half_plane.py half_plane.npz
    graphdl train logreg --data-dir . --set 'train.data=npz("half_plane.npz")' \
        --set train.sampler=replacement --set train.batch=1 --epochs 100

Each step sees one random point. An optional second argument is the seed of the points.
"""

from __future__ import annotations

import sys

import numpy as np


def main(path: str, seed: int = 0, count: int = 100) -> None:
    """Draws points [count, 2] uniform(-1, 1), and whether x1 + x2 is above 0."""
    points = np.random.default_rng(seed).uniform(-1, 1, (count, 2))
    kinds = (points.sum(axis=1) > 0).astype(np.int64)
    np.savez(path, point=points.astype(np.float32), kind=kinds)
    print(f"{path}: {count} points, {kinds.sum()} of them above the line")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
