"""Amazon SQS. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "sqs",
    (
        "access",
        "bill",
        "life",
        "metrics",
        "ops.batches",
        "ops.messages",
        "ops.moving",
        "ops.permissions",
        "ops.queues",
        "ops.tagging",
    ),
)
