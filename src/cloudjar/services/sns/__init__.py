"""Amazon SNS. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "sns",
    (
        "access",
        "alarms",
        "bill",
        "links",
        "life",
        "ops.confirming",
        "ops.permissions",
        "ops.publishing",
        "ops.subscriptions",
        "ops.tagging",
        "ops.texts",
        "ops.topics",
    ),
    boots=True,
)
