"""Who may do what, end to end: real clients against a whole jar."""
