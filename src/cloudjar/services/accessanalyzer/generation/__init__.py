"""Policies from the audit: what a principal did, as the least that allows it."""
