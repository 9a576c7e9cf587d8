"""kill -9 at any moment: what was acknowledged is there, the story goes on, nothing leaks."""
