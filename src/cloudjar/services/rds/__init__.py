"""Relational Database Service. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "rds",
    (
        "access",
        "bill",
        "life",
        "failover",
        "snapshots_life",
        "naming",
        "ops.subnet_groups",
        "ops.instances",
        "ops.power",
        "ops.replicas",
        "ops.modifying",
        "ops.parameters",
        "ops.parameter_groups",
        "ops.snapshots",
        "ops.restoring",
        "ops.catalogue",
        "ops.events",
        "ops.tags",
    ),
    boots=True,
)
