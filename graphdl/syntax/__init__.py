"""A model's text as a tree: `read` the file, `parse` it, walk the classes of `tree`."""

from . import tree
from .outline import outline
from .parse import parse, parse_expression, parse_statement
from .source import read

__all__ = ["outline", "parse", "parse_expression", "parse_statement", "read", "tree"]
