"""AWS CloudTrail: the audit trail that the jar keeps of every call, as event history."""

from cloudjar.kit.operation import Service

SERVICE = Service("cloudtrail", ("ops",))
