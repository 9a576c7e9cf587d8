"""Lists of objects, written to a bucket by the clock."""
