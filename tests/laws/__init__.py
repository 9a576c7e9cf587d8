"""Promises about the whole tree, one test each."""
