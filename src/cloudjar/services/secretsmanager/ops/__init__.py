"""The operations, by what they act on."""
