"""AWS Compute Optimizer: what is too large, too small, or idle. See README.md."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "compute-optimizer",
    ("ops.enrollment", "ops.instances", "ops.groups", "ops.volumes", "ops.idle", "ops.summaries", "ops.preferences"),
)
