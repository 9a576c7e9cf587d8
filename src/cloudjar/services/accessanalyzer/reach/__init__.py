"""What policies can reach, decided about every request at once instead of one."""
