"""Amazon CloudWatch Logs. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "logs",
    (
        "access",
        "bill",
        "exporting",
        "forwarding",
        "life",
        "ops.destinations",
        "ops.exports",
        "ops.groups",
        "ops.keys",
        "ops.live_tail",
        "ops.metric_filters",
        "ops.policies",
        "ops.queries",
        "ops.reading",
        "ops.saved_queries",
        "ops.searching",
        "ops.streams",
        "ops.subscriptions",
        "ops.tagging",
        "ops.writing",
        "queries",
    ),
)
