"""Cloudjar: AWS in a jar, where consequences are real."""

__version__ = "0.1.0"
