"""Logs and reports that AWS writes into buckets."""
