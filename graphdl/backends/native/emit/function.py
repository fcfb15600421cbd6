"""The function of a kernel under construction, and the numbers that it is given.

A kernel is `void kernel(numbers, thread, threads)`; `numbers` are addresses and what it is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from .runtime_sizes import Argument, Number

WORD = ir.IntType(64)
BYTE = ir.IntType(8)
POINTER = ir.PointerType()
KERNEL = ir.FunctionType(ir.VoidType(), [POINTER, WORD, WORD])


@dataclass(frozen=True, slots=True)
class Place:
    """A distance in bytes in a block of memory; without a block, a number."""

    block: int | None
    number: int


class Function:
    """A module with one kernel; `thread` of `threads` is who runs it."""

    def __init__(self, name: str, triple: str) -> None:
        self.module = ir.Module(name)
        self.module.triple = triple
        self._open(ir.Function(self.module, KERNEL, name))
        self.numbers, self.thread, self.threads = self.function.args
        self._told: dict[int, Any] = {}
        # Whether kernels follow each other in one function.
        self.joined = False

    def _open(self, function: Any) -> None:
        """Go on in a function; what has to be there from the start goes into its head."""
        self.function = function
        self._entry = function.append_basic_block("entry")
        self._head = ir.IRBuilder(self._entry)
        self._body = function.append_basic_block("body")
        self.build = ir.IRBuilder(self._body)

    def _close(self) -> None:
        self.build.ret_void()
        self._head.branch(self._body)

    def finish(self) -> str:
        """The text of the module."""
        self._close()
        return str(self.module)

    # ---- several kernels in one ------------------------------------------------------------

    @contextmanager
    def apart(self, blocks: Sequence[Argument]) -> Iterator[list[Any]]:
        """A function for one thread whose arguments are blocks of memory that do not overlap."""
        outside = self.function, self._entry, self._head, self._body, self.build
        kept, thread = self._told, (self.thread, self.threads)
        pointers = [self.address(block) for block in blocks]
        kind = ir.FunctionType(ir.VoidType(), [POINTER] * len(blocks))
        inside = ir.Function(self.module, kind, f"{self.function.name}_inside")
        inside.linkage = "internal"
        for argument in inside.args:
            argument.add_attribute("noalias")
        self._open(inside)
        self.thread, self.threads = ir.Constant(WORD, 0), ir.Constant(WORD, 1)
        self.joined = True
        yield list(inside.args)
        self._close()
        self.function, self._entry, self._head, self._body, self.build = outside
        self._told, (self.thread, self.threads) = kept, thread
        self.build.call(inside, pointers)

    def give(self, given: Sequence[Place], blocks: Sequence[Any]) -> None:
        """From here on, kernels are told this."""
        self._told = {}
        for number, place in enumerate(given):
            if place.block is None:
                self._told[number] = ir.Constant(WORD, place.number)
            else:
                self._told[-1 - number] = self.distant(place, blocks)

    def distant(self, place: Place, blocks: Sequence[Any]) -> Any:
        """The pointer to a place in one of the blocks."""
        assert place.block is not None
        # In the head, so that it is there wherever a kernel comes to need it.
        distance = ir.Constant(WORD, place.number)
        return self._head.gep(blocks[place.block], [distance], True, source_etype=BYTE)

    def leave_when(self, condition: Any) -> None:
        """Do nothing of what follows where the condition holds."""
        out, on = (self.function.append_basic_block(name) for name in ("out", "on"))
        self.build.cbranch(condition, out, on)
        ir.IRBuilder(out).ret_void()
        self.build.position_at_end(on)

    # ---- numbers -------------------------------------------------------------------------

    def number(self, value: Number | Any) -> Any:
        """A whole number as LLVM's value."""
        if isinstance(value, Argument):
            return self._number_at(value.place)
        return ir.Constant(WORD, int(value)) if isinstance(value, int) else value

    def _number_at(self, place: int) -> Any:
        if place not in self._told:
            where = self._head.gep(
                self.numbers, [ir.Constant(WORD, place)], True, source_etype=WORD
            )
            self._told[place] = self._head.load(where, typ=WORD)
        return self._told[place]

    def address(self, place: Argument) -> Any:
        """The pointer among the numbers."""
        key = -1 - place.place
        if key not in self._told:
            self._told[key] = self._head.inttoptr(self._number_at(place.place), POINTER)
        return self._told[key]
