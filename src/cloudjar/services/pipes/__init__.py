"""Amazon EventBridge Pipes. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service("pipes", ("life", "ops.pipes", "ops.tagging"))
