"""Custom policy checks: what a policy newly allows, allows at all, or allows everybody."""
