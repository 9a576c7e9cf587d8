"""AWS Secrets Manager. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "secretsmanager",
    (
        "access",
        "bill",
        "life",
        "ops.secrets",
        "ops.listing",
        "ops.values",
        "ops.policies",
        "ops.replicas",
        "ops.rotation",
        "ops.passwords",
    ),
)
