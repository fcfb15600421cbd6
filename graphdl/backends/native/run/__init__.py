"""The native loop that walks a table of kernels, and the threads that walk it together."""
