"""Endpoint services of one's own (PrivateLink): what is behind a network load balancer, offered to others' VPCs."""
