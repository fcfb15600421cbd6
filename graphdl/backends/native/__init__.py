"""The program as LLVM's kernels for this processor: chosen, written, compiled, bound and run.

Rooms, each importing only those before it:

    emit       LLVM's text of one kernel: loops, vectors, mathematics
    compile    text to machine code: compiled once, kept on disk, linked
    run        the native loop over a table of kernels, and the threads that share it
    kernels    one file for each simple kind: pointwise, sums, windows, rows of tables, random
    tiles      the loops of products and convolutions, around accumulators in registers
    choose     from an operation to calls of kernels, by what each way costs
    schedule   a whole program bound to addresses: its calls in order, merged, chained, guarded
"""
