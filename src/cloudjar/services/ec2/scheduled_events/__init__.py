"""Events that AWS schedules for instances, and the windows in which they may be."""
