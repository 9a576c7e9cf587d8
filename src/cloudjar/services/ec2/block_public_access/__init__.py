"""VPC Block Public Access: an account's VPCs in a Region, cut off from internet gateways but for exclusions."""
