"""AWS Fault Injection Service, and the faults themselves. See README.md."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "fis",
    modules=("faults.life", "life", "ops.catalogue", "ops.experiments", "ops.templates"),
    boots=True,
)
