"""Analyzers and their archive rules."""
