"""AWS Systems Manager: the public parameters of Parameter Store. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service("ssm", ("ops",))
