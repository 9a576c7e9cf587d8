"""Amazon Data Firehose. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "firehose", ("access", "life", "measuring", "ops.encryption", "ops.records", "ops.streams", "ops.tagging")
)
