"""The `graphdl` command: each command is one file beside this one, loaded when it is called."""

from __future__ import annotations

from .group import Commands

main = Commands(
    "graphdl",
    {
        "check": "Check model files and print every error at once.",
        "show": "Print the nodes of a model: shapes, weights, cost.",
        "draw": "Draw a model as svg, png, pdf or dot.",
        "gradcheck": "Compare a model's gradients with finite differences.",
        "train": "Train a model.",
        "eval": "Measure a trained model on its test data.",
        "predict": "Write a trained model's predictions as CSV.",
        "sample": "Write text with a trained language model.",
        "data": "List the data sets and where they are looked for.",
        "version": "Print the versions that matter in a bug report.",
    },
)

__all__ = ["main"]
