"""AMIs: the public catalogue."""
