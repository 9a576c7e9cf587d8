"""Blue/green deployments: an instance, and another one that is to take its place."""
