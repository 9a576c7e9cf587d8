"""EC2 Instance Connect Endpoints: a way to private instances from outside their VPC, by tunnels that IAM allows."""
