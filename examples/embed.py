"""Embed a trained model in a program: load its checkpoint, give it arrays, use what comes out.

    graphdl train digits
    python examples/embed.py runs/.../best.safetensors

A checkpoint is all that has to travel: it holds the model's text besides the weights.
"""

from __future__ import annotations

import sys

import numpy as np

import graphdl as gdl


def main(checkpoint: str) -> None:
    """Prints what the model makes of one image, drawn here by hand."""
    net = gdl.load(checkpoint)
    zero = np.array(
        [
            [0, 0, 5, 13, 9, 1, 0, 0],
            [0, 0, 13, 15, 10, 15, 5, 0],
            [0, 3, 15, 2, 0, 11, 8, 0],
            [0, 4, 12, 0, 0, 8, 8, 0],
            [0, 5, 8, 0, 0, 9, 8, 0],
            [0, 4, 11, 0, 1, 12, 7, 0],
            [0, 2, 14, 5, 10, 12, 0, 0],
            [0, 0, 6, 13, 10, 0, 0, 0],
        ]
    )
    images = zero[None, None] / 16  # one example of shape [1, 8, 8], numbers from 0 to 1
    probabilities = net(image=images)["probs"][0]
    for digit in np.argsort(-probabilities)[:3]:
        print(f"{digit}: {probabilities[digit]:.3f}")


if __name__ == "__main__":
    main(sys.argv[1])
