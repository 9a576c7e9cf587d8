"""AWS Support: Trusted Advisor's checks by the older API. Nobody answers cases here. See README.md."""

from cloudjar.kit.operation import Service

SERVICE = Service("support", ("ops",))
