"""Which events a trail gets."""
