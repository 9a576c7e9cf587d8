"""Documents: what Run Command and Session Manager do, written down."""
