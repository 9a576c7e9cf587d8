"""Policy validation: the checks behind `ValidatePolicy`."""
