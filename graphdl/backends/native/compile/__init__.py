"""From LLVM's text to machine code: compiled once, kept on disk under a hash, linked."""
