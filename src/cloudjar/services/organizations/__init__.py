"""AWS Organizations: many accounts, one tree, and the policies that bound them. See README.md."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "organizations",
    modules=(
        "records",
        "access",
        "life",
        "ops.organization",
        "ops.units",
        "ops.accounts",
        "ops.handshakes",
        "ops.policies",
        "ops.attachments",
        "ops.services",
        "ops.delegation",
        "ops.tagging",
    ),
)
