"""Placement groups: how near to each other instances are put."""
