"""Clusters: a writer and those that follow it, under names of their own."""
