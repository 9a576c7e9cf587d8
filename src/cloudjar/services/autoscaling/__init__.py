"""Amazon EC2 Auto Scaling. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "autoscaling",
    (
        "access",
        "life",
        "ops.launch_configurations",
        "ops.groups",
        "ops.capacity",
        "ops.members",
        "ops.standby",
        "ops.traffic",
        "ops.hooks",
        "ops.processes",
        "ops.tags",
        "ops.policies",
        "ops.scheduled",
        "ops.refreshes",
        "ops.warm_pools",
        "ops.collecting",
        "ops.notifications",
        "telling",
        "predicting",
        "ops.classic",
        "ops.listing",
        "ops.types",
    ),
    boots=True,
)
