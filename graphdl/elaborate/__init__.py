"""Working a model out: expressions become constants, layers, and a graph with its programs."""

from .elaborate import Elaborated, elaborate
from .learning import require_learning
from .optimiser import Memory, rate
from .programs import (
    LOSS,
    Regime,
    Step,
    evaluating,
    gradients,
    measuring,
    predicting,
    refuse,
    training,
)

__all__ = [
    "LOSS",
    "Elaborated",
    "Memory",
    "Regime",
    "Step",
    "elaborate",
    "evaluating",
    "gradients",
    "measuring",
    "predicting",
    "rate",
    "refuse",
    "require_learning",
    "training",
]
