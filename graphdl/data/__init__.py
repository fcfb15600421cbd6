"""Data sets: readers, the split into parts, the fit to a model, samplers."""

from .bind import bind
from .check import check_split
from .dataset import Column, Dataset, Split, converted
from .lookup import Lookup
from .match import Asked
from .ragged import Ragged
from .registry import READERS, check_source, known, load, options, read
from .sampler import SAMPLERS, Sampler
from .trained import Trained
from .vectors import read_vectors
from .vocabulary import Vocabulary

__all__ = [
    "READERS",
    "SAMPLERS",
    "Asked",
    "Column",
    "Dataset",
    "Lookup",
    "Ragged",
    "Sampler",
    "Split",
    "Trained",
    "Vocabulary",
    "bind",
    "check_source",
    "check_split",
    "converted",
    "known",
    "load",
    "options",
    "read",
    "read_vectors",
]
