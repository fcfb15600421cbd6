"""Writes the data of models/siamese.gdl: pairs of the packaged digits, half of them of one digit.

    python examples/digit_pairs.py digit_pairs.npz
    graphdl train siamese --data-dir .

Any program that writes arrays by name is a source of data in this way.
"""

from __future__ import annotations

import sys
from importlib import resources

import numpy as np


def main(path: str, count: int = 4000) -> None:
    """Draws `count` pairs [count, 1, 8, 8] and whether each is the same digit twice."""
    rng = np.random.default_rng(1)
    with resources.files("graphdl.data").joinpath("digits.npz").open("rb") as file:
        digits = dict(np.load(file))
    pixels, label = digits["pixels"].astype(np.float32) / 16, digits["label"]
    left, right = rng.integers(0, len(label), (2, count))
    for i in range(0, count, 2):  # every other pair: the same digit, another image
        right[i] = rng.choice(np.flatnonzero(label == label[left[i]]))
    same = (label[left] == label[right]).astype(np.int64)
    np.savez_compressed(path, left=pixels[left], right=pixels[right], same=same)
    print(f"{path}: {count} pairs, {same.mean():.0%} of them the same digit")


if __name__ == "__main__":
    main(sys.argv[1])
