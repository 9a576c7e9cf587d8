"""Flow logs."""
