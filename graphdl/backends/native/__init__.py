"""Generated kernels for this machine's processor, run from a table by a few native threads."""
