"""Auto Scaling, operation by operation."""
