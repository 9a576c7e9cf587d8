"""Managed nodes: instances whose agent has reported, and may."""
