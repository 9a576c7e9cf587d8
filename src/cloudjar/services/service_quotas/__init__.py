"""Service Quotas: the limits that the jar enforces, readable, and raised on request. See README.md."""

from cloudjar.kit.operation import Service

SERVICE = Service("service-quotas", ("life", "ops", "requests", "templates", "tagging", "utilization"), boots=True)
