"""Static websites on their own host names."""
