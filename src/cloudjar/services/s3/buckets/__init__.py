"""Bucket operations and sub-resources."""
