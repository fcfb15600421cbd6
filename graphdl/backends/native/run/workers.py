"""The threads of this process that run tables of kernels together.

Whoever has a table that several threads share waits for its turn inside the native call. So
nothing of Python, such as the handler of a signal, comes in between while the turn is held.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

import numpy as np

from ...llvm import LOCK
from ..compile.library import functions
from .pool import CONDITION, MUTEX, NAMES, TURN, WORDS, WORKERS, module

THREADS = "GRAPHDL_THREADS"

# Workers are threads without Python. Where the system gives no more, there are fewer of them.
HIRE = """
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_detach(ptr)
declare ptr @malloc(i64)
declare void @free(ptr)

define internal ptr @begin(ptr %given) {{
  %number_at = getelementptr i64, ptr %given, i64 1
  %job_at = getelementptr i64, ptr %given, i64 2
  %pool = load ptr, ptr %given
  %number = load i64, ptr %number_at
  %job = load i64, ptr %job_at
  call void @free(ptr %given)
  call void @graphdl_work(ptr %pool, i64 %number, i64 %job)
  ret ptr null
}}

define internal i64 @hire(ptr %pool, i64 %threads) {{
  %id = alloca ptr
  %workers_at = getelementptr i64, ptr %pool, i64 {WORKERS}
  %job_at = getelementptr i64, ptr %pool, i64 {JOB}
  br label %look
look:
  %workers = load i64, ptr %workers_at
  %all = add i64 %workers, 1
  %enough = icmp uge i64 %all, %threads
  br i1 %enough, label %end, label %more
more:
  %given = call ptr @malloc(i64 24)
  %none = icmp eq ptr %given, null
  br i1 %none, label %end, label %start
start:
  %number_at = getelementptr i64, ptr %given, i64 1
  %start_at = getelementptr i64, ptr %given, i64 2
  %job = load i64, ptr %job_at
  store ptr %pool, ptr %given
  store i64 %all, ptr %number_at
  store i64 %job, ptr %start_at
  %failed = call i32 @pthread_create(ptr %id, ptr null, ptr @begin, ptr %given)
  %bad = icmp ne i32 %failed, 0
  br i1 %bad, label %without, label %hired
without:
  call void @free(ptr %given)
  br label %end
hired:
  %worker = load ptr, ptr %id
  %ignored = call i32 @pthread_detach(ptr %worker)
  store i64 %all, ptr %workers_at
  br label %look
end:
  ret i64 %all
}}

define i64 @graphdl_shared(ptr %pool, ptr %table, i64 %count, i64 %threads, i64 %times) {{
  %turn = getelementptr i64, ptr %pool, i64 {TURN}
  %locked = call i32 @pthread_mutex_lock(ptr %turn)
  %all = call i64 @hire(ptr %pool, i64 %threads)
  %done = call i64 @graphdl_repeat(ptr %pool, ptr %table, i64 %count, i64 %all, i64 %times)
  %unlocked = call i32 @pthread_mutex_unlock(ptr %turn)
  ret i64 %done
}}
"""


class Pool:
    """The threads of this process; a child process makes its own."""

    _ours: Pool | None = None
    # Runs a table in this thread, given the address of its address and count; 0 if all is well.
    alone: Any = None

    def __init__(self) -> None:
        found = functions(module(HIRE), (*NAMES, "graphdl_shared"))
        word, address = ctypes.c_int64, ctypes.c_void_p
        self._repeat, self._shared = (
            ctypes.CFUNCTYPE(word, address, address, word, word, word)(found[name])
            for name in ("graphdl_repeat", "graphdl_shared")
        )
        Pool.alone = ctypes.CFUNCTYPE(word, address)(found["graphdl_alone"])
        self.memory = np.zeros(WORDS + 8, np.int64)
        odd = self.memory.ctypes.data % 64 // 8
        self._address = self.memory.ctypes.data + 8 * ((8 - odd) % 8)
        library = ctypes.CDLL(None)
        for mutex in (MUTEX, TURN):
            library.pthread_mutex_init(ctypes.c_void_p(self._address + 8 * mutex), None)
        library.pthread_cond_init(ctypes.c_void_p(self._address + 8 * CONDITION), None)

    @classmethod
    def ours(cls) -> Pool:
        """The pool of this process."""
        if cls._ours is None:
            with LOCK:
                made = cls()
                # A signal's handler may have made one meanwhile. Workers read the memory of theirs
                # for ever; this one has none yet.
                if cls._ours is None:
                    cls._ours = made
        return cls._ours

    @classmethod
    def forget(cls) -> None:
        """In a child process: threads are not inherited."""
        cls._ours = None

    @property
    def workers(self) -> int:
        """How many threads there are beside those that come with a table."""
        return ctypes.c_int64.from_address(self._address + 8 * WORKERS).value

    def run(self, table: int, count: int, threads: int) -> bool:
        """Run a table at an address; whether its guards found everything finite."""
        return self.repeat(table, count, threads, 1) == 1

    def repeat(self, table: int, count: int, threads: int, times: int) -> int:
        """Run a table so many times, or until a guard stops it; how often it was done.

        At least `threads` do so, for all that there are meet; fewer where there are no more to be
        had, which changes no result.
        """
        if threads == 1:
            return int(self._repeat(self._address, table, count, 1, times))
        return int(self._shared(self._address, table, count, threads, times))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Pool.forget)


def wanted_threads() -> int:
    """How many threads to use: GRAPHDL_THREADS, or the processors this process may run on."""
    asked: Any = os.environ.get(THREADS, "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
