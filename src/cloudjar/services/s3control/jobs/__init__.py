"""S3 Batch Operations: one operation on every object of a list."""
