"""Amazon EventBridge. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "events",
    (
        "access",
        "archiving",
        "authorizing",
        "bill",
        "hearing",
        "life",
        "ops.archives",
        "ops.buses",
        "ops.connections",
        "ops.destinations",
        "ops.permissions",
        "ops.putting",
        "ops.replays",
        "ops.rules",
        "ops.tagging",
        "ops.targets",
        "replaying",
    ),
    boots=True,
)
