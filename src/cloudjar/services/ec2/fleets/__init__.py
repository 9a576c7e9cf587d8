"""EC2 Fleet and Spot Fleet: capacity over several pools, kept by two markets."""
