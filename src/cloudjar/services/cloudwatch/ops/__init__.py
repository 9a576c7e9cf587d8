"""CloudWatch's operations, by noun."""
