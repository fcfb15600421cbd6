"""LLVM's text of one kernel: its function and numbers, loops, vectors, and mathematics on them."""
