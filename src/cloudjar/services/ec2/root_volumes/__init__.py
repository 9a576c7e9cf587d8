"""Replacing the root volume of a running instance."""
