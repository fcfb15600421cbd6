"""Kernels of the simple kinds. A file has what a kernel is made for, who writes it, its calls."""
