"""Spot instances: requests, prices, and the notice before the end."""
