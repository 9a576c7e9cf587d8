"""Run Command: documents done by many nodes at once."""
