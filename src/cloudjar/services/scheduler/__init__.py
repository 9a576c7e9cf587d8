"""Amazon EventBridge Scheduler. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service("scheduler", ("access", "life", "ops.groups", "ops.schedules", "ops.tagging"))
