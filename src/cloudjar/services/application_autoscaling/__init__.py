"""Application Auto Scaling. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "application-autoscaling",
    (
        "access", "spot_fleets", "executing", "scheduling", "ops.targets", "ops.policies", "ops.scheduled",
        "ops.listing", "ops.tags",
    ),
)  # fmt: skip
