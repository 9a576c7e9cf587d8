"""CloudWatch's tests."""
