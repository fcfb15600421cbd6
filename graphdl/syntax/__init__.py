"""A model's text as a tree: `read` the file, `parse` it, walk the classes of `tree`."""

from . import tree
from .parse import parse, parse_expression
from .source import read

__all__ = ["parse", "parse_expression", "read", "tree"]
