"""Metric math: the expression language, its functions, and their evaluation. Pure."""
