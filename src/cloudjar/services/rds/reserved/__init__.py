"""Reserved DB instances: what is on offer, what was bought, and what it lowers on the bill."""
