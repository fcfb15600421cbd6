"""Signals during training: the first one asks to stop after the step, the second stops at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

# Ctrl-C, `kill`, and a terminal that is closed; not every system has the last.
CAUGHT = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Interrupt:
    """A context in which Ctrl-C, SIGTERM and SIGHUP set `asked` to their number.

    Elsewhere than in the main thread it does nothing, and a signal that was ignored before, as
    `nohup` has it, stays ignored.
    """

    def __init__(self, announce: Callable[[str], None]) -> None:
        self.asked = 0
        self._announce = announce
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in CAUGHT:
                before = signal.getsignal(number)
                if before not in (signal.SIG_IGN, None):
                    self._before[number] = before
                    signal.signal(number, self._receive)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def pass_on(self) -> None:
        """Give SIGTERM or SIGHUP to whoever would have had it: by default it ends the process.

        A handler is called without a frame, which says that training has ended well.
        """
        if self.asked in (0, signal.SIGINT):
            return
        before = self._before[self.asked]
        if callable(before):
            before(self.asked, None)
        else:
            signal.raise_signal(self.asked)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self.asked:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            signal.signal(number, self._before[number])
            signal.raise_signal(number)
            return
        self.asked = number
        again = "; Ctrl-C again stops at once" if number == signal.SIGINT else ""
        with contextlib.suppress(RuntimeError):  # the signal came in the middle of a write
            self._announce(f"finishing the step{again}")
