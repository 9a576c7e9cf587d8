"""EC2 Instance Connect: keys that are valid for a minute. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service("ec2-instance-connect", ("access", "ops"))
