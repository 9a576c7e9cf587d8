"""EBS snapshots: taken, copied, shared, deleted."""
