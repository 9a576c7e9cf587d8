"""What Certificate Manager is asked."""
