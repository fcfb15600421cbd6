"""Loops of products and convolutions: tiles of the result, summed up in registers."""
