"""Amazon CloudWatch: metrics, alarms, dashboards, metric streams. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "cloudwatch",
    (
        "bill",
        "calls",
        "life",
        "sending",
        "ops.putting",
        "ops.listing",
        "ops.statistics",
        "ops.data",
        "ops.alarms",
        "ops.history",
        "ops.dashboards",
        "ops.images",
        "ops.streams",
        "ops.tagging",
    ),
)
