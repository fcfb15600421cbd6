"""From an operation to calls of kernels: which kernel, in what order of loops, on what copies."""
