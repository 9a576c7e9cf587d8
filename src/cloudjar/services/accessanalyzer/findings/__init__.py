"""Findings: how they are made, kept up to date, searched and shown."""
