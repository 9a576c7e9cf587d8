"""IAM's operations, a module per noun."""
