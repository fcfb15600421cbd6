"""Every primitive, one class each; the compiler knows nothing else."""

from ..primitive import Primitive
from .binary import Add, Div, FloorDiv, Maximum, Minimum, Mod, Mul, Power, Sub
from .compare import (
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalOr,
    NotEqual,
    Select,
)
from .contract import Contract
from .contract_spread import ContractSpread
from .index import Gather, Pick, ScatterAdd, Spread
from .place import Concat, Pad
from .random import Random
from .reduce import Amax, Amin, ArgMax, Mean, Sum
from .rows import MergeRows, PutRows
from .scan import Scan
from .source import Constant, Extent, Iota
from .tails import Expm1, Log1p, NormalCdf, Sigmoid, Softplus
from .unary import Abs, Cast, Copy, Erf, Exp, Floor, Log, LogicalNot, Neg, Sign, Sqrt, Tanh
from .unfold import Fold, Unfold
from .view import Broadcast, Reshape, Reverse, Slice, Stop, Transpose
from .window import WindowMax, WindowMaxGradient, WindowMean, WindowMeanGradient

ALL: tuple[type[Primitive], ...] = (
    # pointwise
    *(Neg, Exp, Log, Sqrt, Abs, Sign, Floor, Tanh, Erf, LogicalNot, Cast, Copy),
    *(Expm1, Log1p, Sigmoid, Softplus, NormalCdf),
    *(Add, Sub, Mul, Div, FloorDiv, Mod, Power, Maximum, Minimum),
    *(Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, LogicalAnd, LogicalOr, Select),
    # reduce
    *(Sum, Mean, Amax, Amin, ArgMax),
    # contract and window
    *(Contract, ContractSpread, Unfold, Fold),
    *(WindowMax, WindowMaxGradient, WindowMean, WindowMeanGradient),
    # move
    *(Reshape, Transpose, Slice, Broadcast, Reverse, Stop, Pad, Concat),
    # index
    *(Gather, ScatterAdd, MergeRows, PutRows, Pick, Spread),
    # sources
    *(Constant, Extent, Iota, Random),
)
# A scan is none of them: its constant is a program, and it is made of the others.
BY_NAME = {primitive.name: primitive for primitive in ALL}

__all__ = [
    "ALL",
    "BY_NAME",
    "Abs",
    "Add",
    "Amax",
    "Amin",
    "ArgMax",
    "Broadcast",
    "Cast",
    "Concat",
    "Constant",
    "Contract",
    "ContractSpread",
    "Copy",
    "Div",
    "Equal",
    "Erf",
    "Exp",
    "Expm1",
    "Extent",
    "Floor",
    "FloorDiv",
    "Fold",
    "Gather",
    "Greater",
    "GreaterEqual",
    "Iota",
    "Less",
    "LessEqual",
    "Log",
    "Log1p",
    "LogicalAnd",
    "LogicalNot",
    "LogicalOr",
    "Maximum",
    "Mean",
    "MergeRows",
    "Minimum",
    "Mod",
    "Mul",
    "Neg",
    "NormalCdf",
    "NotEqual",
    "Pad",
    "Pick",
    "Power",
    "PutRows",
    "Random",
    "Reshape",
    "Reverse",
    "Scan",
    "ScatterAdd",
    "Select",
    "Sigmoid",
    "Sign",
    "Slice",
    "Softplus",
    "Spread",
    "Sqrt",
    "Stop",
    "Sub",
    "Sum",
    "Tanh",
    "Transpose",
    "Unfold",
    "WindowMax",
    "WindowMaxGradient",
    "WindowMean",
    "WindowMeanGradient",
]
