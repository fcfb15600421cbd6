"""The tensor program and its primitives."""

from .averages import Averages, Part, averages
from .body import Body
from .builder import Builder
from .differentiate import differentiate, reached
from .primitive import Array, Call, Primitive, Scratch, ShapeError
from .program import Input, Kind, Op, Program, Type, Update, Value
from .region import Region
from .size import Dim, Size, evaluate, product
from .text import op_text, read, text
from .verify import BrokenProgram, verify

__all__ = [
    "Array",
    "Averages",
    "Body",
    "BrokenProgram",
    "Builder",
    "Call",
    "Dim",
    "Input",
    "Kind",
    "Op",
    "Part",
    "Primitive",
    "Program",
    "Region",
    "Scratch",
    "ShapeError",
    "Size",
    "Type",
    "Update",
    "Value",
    "averages",
    "differentiate",
    "evaluate",
    "op_text",
    "product",
    "reached",
    "read",
    "text",
    "verify",
]
