"""Storage class analysis: how old what is read is."""
