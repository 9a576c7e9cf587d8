"""Digest files: which files were delivered, hashed, chained and signed."""
