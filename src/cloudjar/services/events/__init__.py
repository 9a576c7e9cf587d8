"""Amazon EventBridge. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "events",
    (
        "access",
        "bill",
        "hearing",
        "life",
        "ops.buses",
        "ops.permissions",
        "ops.putting",
        "ops.rules",
        "ops.tagging",
        "ops.targets",
    ),
    boots=True,
)
