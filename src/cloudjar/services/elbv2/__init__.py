"""Elastic Load Balancing v2. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "elbv2",
    (
        "access",
        "access_logs.life",
        "bill",
        "naming",
        "life",
        "metering.hosts",
        "ops.load_balancers",
        "ops.attributes",
        "ops.target_groups",
        "ops.targets",
        "ops.listeners",
        "ops.certificates",
        "ops.limits",
        "ops.reservations",
        "ops.rules",
        "ops.tags",
        "ops.trust_stores",
    ),
    boots=True,
)
