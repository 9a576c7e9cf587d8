"""AWS Budgets. See README.md for what is real and what is absent."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "budgets",
    (
        "access",
        "bill",
        "estimated",
        "life",
        "ops.actions",
        "ops.budgets",
        "ops.executing",
        "ops.history",
        "ops.notifications",
        "ops.subscribers",
        "ops.tagging",
    ),
)
