"""The RDS Data API. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service("rds-data", ("life", "ops"))
