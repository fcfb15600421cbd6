"""Passes over the tensor program: each one small, from program to program."""

from .memory import MemoryPlan, plan_memory
from .optimise import PASSES, optimise

__all__ = ["PASSES", "MemoryPlan", "optimise", "plan_memory"]
