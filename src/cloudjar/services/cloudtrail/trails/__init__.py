"""Trails: what they are, where they deliver, whether they log."""
