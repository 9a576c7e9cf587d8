"""Copies of objects in other buckets, made by the bucket itself."""
