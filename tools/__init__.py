"""What maintainers run: pages generated from the sources."""
