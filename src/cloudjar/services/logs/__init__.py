"""Amazon CloudWatch Logs. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "logs",
    (
        "access",
        "bill",
        "life",
        "ops.groups",
        "ops.keys",
        "ops.metric_filters",
        "ops.policies",
        "ops.queries",
        "ops.reading",
        "ops.searching",
        "ops.streams",
        "ops.tagging",
        "ops.writing",
        "queries",
    ),
)
