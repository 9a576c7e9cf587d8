"""S3 Select: SQL over one object."""
