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
        "archiving",
        "loads",
        "measured",
        "naming",
        "ops.subnet_groups",
        "ops.instances",
        "ops.power",
        "ops.replicas",
        "ops.modifying",
        "ops.parameters",
        "ops.parameter_groups",
        "ops.snapshots",
        "ops.sharing",
        "ops.restoring",
        "ops.point_in_time",
        "ops.automated_backups",
        "ops.catalogue",
        "ops.events",
        "ops.event_subscriptions",
        "ops.log_files",
        "ops.tags",
    ),
    boots=True,
)
