"""Access logs of Application Load Balancers, delivered into buckets."""
