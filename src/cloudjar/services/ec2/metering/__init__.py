"""What instances use: measured, told as metrics, and held against the CPU credits of burstable types."""
