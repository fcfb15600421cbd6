"""The native loop that walks a table of kernels, alone or as one of a pool of threads.

Every thread walks the whole table. Of a parallel kernel each does its share; any other is done by
the first thread. Where a row says so, all wait for each other: a few microseconds awake, then they
let others run, for one of them may be waiting for a processor that another program has. Between
tables, threads wait a little awake, then asleep.
"""

from __future__ import annotations

from ..emit.machine import this_machine

# Words of a row: kernel, its numbers, flags, address of a verdict.
ROW = 4
PARALLEL, WAIT, GUARD = 1, 2, 4

# Words of a pool. Those that several threads write to have a cache line of their own.
ARRIVED, PHASE, JOB, SLEEPERS, TABLE, WORKERS = 0, 8, 16, 24, 32, 40
MUTEX, CONDITION, TURN, WORDS = 48, 64, 80, 96

# What tells the processor that a thread waits: what to declare, and what to call. On AArch64 it is
# `isb`, because `yield` takes no time there, and waiting awake would end at once.
_PAUSE = {
    "x86_64": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"),
    "aarch64": ("declare void @llvm.aarch64.isb(i32)", "call void @llvm.aarch64.isb(i32 15)"),
}

RUN = """
{declared}
declare i32 @sched_yield()

define internal void @wait(ptr %pool, i64 %threads) noinline {{
  %phase_at = getelementptr i64, ptr %pool, i64 {PHASE}
  %phase = load atomic i64, ptr %phase_at acquire, align 8
  %before = atomicrmw add ptr %pool, i64 1 seq_cst
  %mine = add i64 %before, 1
  %last = icmp eq i64 %mine, %threads
  br i1 %last, label %open, label %spin
open:
  store atomic i64 0, ptr %pool release, align 8
  %next = add i64 %phase, 1
  store atomic i64 %next, ptr %phase_at seq_cst, align 8
  ret void
spin:
  %turns = phi i64 [ 0, %0 ], [ %more, %again ]
  %now = load atomic i64, ptr %phase_at acquire, align 8
  %same = icmp eq i64 %now, %phase
  br i1 %same, label %rest, label %done
rest:
  {pause}
  %more = add i64 %turns, 1
  %long = icmp ugt i64 %more, 100
  br i1 %long, label %yield, label %again
yield:
  %ignored = call i32 @sched_yield()
  br label %again
again:
  br label %spin
done:
  ret void
}}

define i64 @graphdl_run(ptr %table, i64 %count, ptr %pool, i64 %thread, i64 %threads) {{
  %shared = icmp ugt i64 %threads, 1
  %first = icmp eq i64 %thread, 0
  %any = icmp ugt i64 %count, 0
  br i1 %any, label %row, label %fine
row:
  %place = phi i64 [ 0, %0 ], [ %following, %next ]
  %start = mul i64 %place, {ROW}
  %at = getelementptr i64, ptr %table, i64 %start
  %kernel = load ptr, ptr %at
  %numbers_at = getelementptr i64, ptr %at, i64 1
  %numbers = load ptr, ptr %numbers_at
  %flags_at = getelementptr i64, ptr %at, i64 2
  %flags = load i64, ptr %flags_at
  %parallel_bit = and i64 %flags, {PARALLEL}
  %parallel = icmp ne i64 %parallel_bit, 0
  %together = and i1 %parallel, %shared
  br i1 %together, label %part, label %alone
part:
  call void %kernel(ptr %numbers, i64 %thread, i64 %threads)
  br label %after
alone:
  br i1 %first, label %whole, label %after
whole:
  call void %kernel(ptr %numbers, i64 0, i64 1)
  br label %after
after:
  %wait_bit = and i64 %flags, {WAIT}
  %waits = icmp ne i64 %wait_bit, 0
  %wait = and i1 %waits, %shared
  br i1 %wait, label %meet, label %check
meet:
  call void @wait(ptr %pool, i64 %threads)
  br label %check
check:
  %guard_bit = and i64 %flags, {GUARD}
  %guards = icmp ne i64 %guard_bit, 0
  br i1 %guards, label %judge, label %next
judge:
  %verdict_at = getelementptr i64, ptr %at, i64 3
  %verdict_in = load ptr, ptr %verdict_at
  %verdict = load i64, ptr %verdict_in
  %bad = icmp ne i64 %verdict, 0
  br i1 %bad, label %stopped, label %next
next:
  %following = add i64 %place, 1
  %going = icmp ult i64 %following, %count
  br i1 %going, label %row, label %fine
stopped:
  ; Nobody begins another table, which sets the verdict again, before all have read it.
  br i1 %shared, label %part_ways, label %leave
part_ways:
  call void @wait(ptr %pool, i64 %threads)
  br label %leave
leave:
  ret i64 1
fine:
  ret i64 0
}}
"""

WORK = """
declare i32 @pthread_cond_wait(ptr, ptr)

define void @graphdl_work(ptr %pool, i64 %thread, i64 %start) {{
  %job_at = getelementptr i64, ptr %pool, i64 {JOB}
  %sleepers_at = getelementptr i64, ptr %pool, i64 {SLEEPERS}
  %mutex = getelementptr i64, ptr %pool, i64 {MUTEX}
  %condition = getelementptr i64, ptr %pool, i64 {CONDITION}
  %table_at = getelementptr i64, ptr %pool, i64 {TABLE}
  %count_at = getelementptr i64, ptr %table_at, i64 1
  %threads_at = getelementptr i64, ptr %table_at, i64 2
  br label %fresh
fresh:
  %seen = phi i64 [ %start, %0 ], [ %job, %work ]
  br label %spin
spin:
  %turns = phi i64 [ 0, %fresh ], [ %more, %rest ]
  %job_now = load atomic i64, ptr %job_at seq_cst, align 8
  %old = icmp eq i64 %job_now, %seen
  br i1 %old, label %rest, label %begin
rest:
  {pause}
  %more = add i64 %turns, 1
  %long = icmp ugt i64 %more, 5000
  br i1 %long, label %sleep, label %spin
sleep:
  %locked = call i32 @pthread_mutex_lock(ptr %mutex)
  %up = atomicrmw add ptr %sleepers_at, i64 1 seq_cst
  br label %look
look:
  %job_then = load atomic i64, ptr %job_at seq_cst, align 8
  %still = icmp eq i64 %job_then, %seen
  br i1 %still, label %dream, label %wake
dream:
  %woken = call i32 @pthread_cond_wait(ptr %condition, ptr %mutex)
  br label %look
wake:
  %down = atomicrmw sub ptr %sleepers_at, i64 1 seq_cst
  %unlocked = call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %begin
begin:
  %job = load atomic i64, ptr %job_at seq_cst, align 8
  %table = load ptr, ptr %table_at
  %count = load i64, ptr %count_at
  %threads = load i64, ptr %threads_at
  %stop = icmp eq ptr %table, null
  br i1 %stop, label %end, label %work
work:
  %result = call i64 @graphdl_run(ptr %table, i64 %count, ptr %pool, i64 %thread, i64 %threads)
  br label %fresh
end:
  ret void
}}
"""

START = """
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_broadcast(ptr)

define i64 @graphdl_start(ptr %pool, ptr %table, i64 %count, i64 %threads) {{
  %alone = icmp ule i64 %threads, 1
  br i1 %alone, label %work, label %post
post:
  %job_at = getelementptr i64, ptr %pool, i64 {JOB}
  %sleepers_at = getelementptr i64, ptr %pool, i64 {SLEEPERS}
  %mutex = getelementptr i64, ptr %pool, i64 {MUTEX}
  %condition = getelementptr i64, ptr %pool, i64 {CONDITION}
  %table_at = getelementptr i64, ptr %pool, i64 {TABLE}
  %count_at = getelementptr i64, ptr %table_at, i64 1
  %threads_at = getelementptr i64, ptr %table_at, i64 2
  store ptr %table, ptr %table_at
  store i64 %count, ptr %count_at
  store i64 %threads, ptr %threads_at
  %job = atomicrmw add ptr %job_at, i64 1 seq_cst
  %asleep = load atomic i64, ptr %sleepers_at seq_cst, align 8
  %some = icmp ne i64 %asleep, 0
  br i1 %some, label %wake, label %work
wake:
  %locked = call i32 @pthread_mutex_lock(ptr %mutex)
  %woken = call i32 @pthread_cond_broadcast(ptr %condition)
  %unlocked = call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %work
work:
  %result = call i64 @graphdl_run(ptr %table, i64 %count, ptr %pool, i64 0, i64 %threads)
  ret i64 %result
}}
"""

REPEAT = """
define i64 @graphdl_repeat(ptr %pool, ptr %table, i64 %count, i64 %threads, i64 %times) {{
  %any = icmp ugt i64 %times, 0
  br i1 %any, label %turn, label %end
turn:
  %done = phi i64 [ 0, %0 ], [ %more, %next ]
  %bad = call i64 @graphdl_start(ptr %pool, ptr %table, i64 %count, i64 %threads)
  %stops = icmp ne i64 %bad, 0
  br i1 %stops, label %end, label %next
next:
  %more = add i64 %done, 1
  %going = icmp ult i64 %more, %times
  br i1 %going, label %turn, label %end
end:
  %result = phi i64 [ 0, %0 ], [ %done, %turn ], [ %more, %next ]
  ret i64 %result
}}
"""

# A table and its count behind one argument: calling from Python costs as much as a small step.
ALONE = """
define i64 @graphdl_alone(ptr %order) {{
  %table = load ptr, ptr %order
  %count_at = getelementptr i64, ptr %order, i64 1
  %count = load i64, ptr %count_at
  %result = call i64 @graphdl_run(ptr %table, i64 %count, ptr null, i64 0, i64 1)
  ret i64 %result
}}
"""

NAMES = ("graphdl_run", "graphdl_work", "graphdl_start", "graphdl_repeat", "graphdl_alone")


def module(*more: str) -> str:
    """LLVM's text of the functions, and of some more."""
    processor = this_machine().triple.partition("-")[0].replace("arm64", "aarch64")
    words: dict[str, object] = {"ROW": ROW, "PARALLEL": PARALLEL, "WAIT": WAIT, "GUARD": GUARD}
    words |= {"PHASE": PHASE, "JOB": JOB, "SLEEPERS": SLEEPERS, "TABLE": TABLE, "WORKERS": WORKERS}
    words |= {"MUTEX": MUTEX, "CONDITION": CONDITION, "TURN": TURN}
    declared, pause = _PAUSE.get(processor, ("", ""))
    return "".join(
        text.format(declared=declared, pause=pause, **words)
        for text in (RUN, WORK, START, REPEAT, ALONE, *more)
    )
