"""Application Auto Scaling, operation by operation."""
