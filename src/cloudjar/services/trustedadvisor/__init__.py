"""Trusted Advisor: checks that look at the account through its services' own operations. See README.md."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "trustedadvisor",
    (
        "checks.identity", "checks.exposure", "checks.costs", "checks.resilience", "checks.databases",
        "checks.tidiness", "checks.limits", "life", "ops",
    ),
)  # fmt: skip
