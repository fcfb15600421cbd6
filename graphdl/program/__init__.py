"""The tensor program and its primitives."""

from .builder import Builder
from .differentiate import differentiate
from .primitive import Array, Call, Primitive, Scratch, ShapeError
from .program import Input, Kind, Op, Program, Type, Update, Value
from .size import Dim, Size, evaluate, product
from .text import op_text, read, text
from .verify import BrokenProgram, verify

__all__ = [
    "Array",
    "BrokenProgram",
    "Builder",
    "Call",
    "Dim",
    "Input",
    "Kind",
    "Op",
    "Primitive",
    "Program",
    "Scratch",
    "ShapeError",
    "Size",
    "Type",
    "Update",
    "Value",
    "differentiate",
    "evaluate",
    "op_text",
    "product",
    "read",
    "text",
    "verify",
]
