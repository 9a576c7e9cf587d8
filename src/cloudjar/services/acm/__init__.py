"""AWS Certificate Manager. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "acm",
    ("keeping", "life", "validation", "ops.requests", "ops.imports", "ops.reading", "ops.tags", "ops.account"),
    boots=True,
)
