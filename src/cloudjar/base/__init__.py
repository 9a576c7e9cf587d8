"""Words that everyone shares; no I/O but the clock's and the random source's own."""
