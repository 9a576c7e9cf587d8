"""Garbage: whatever arrives, AWS's error goes back, in time, and nothing is left of it."""
