"""Amazon Kinesis Data Streams. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "kinesis",
    (
        "access",
        "bill",
        "life",
        "measuring",
        "ops.consumers",
        "ops.policies",
        "ops.records",
        "ops.settings",
        "ops.shards",
        "ops.streams",
        "ops.tagging",
    ),
)
