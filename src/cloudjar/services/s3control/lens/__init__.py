"""S3 Storage Lens: an account's storage in figures, every day."""
