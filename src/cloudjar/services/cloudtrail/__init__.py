"""AWS CloudTrail: the audit trail that the jar keeps of every call, as event history and in trails."""

from cloudjar.kit.operation import Service

SERVICE = Service(
    "cloudtrail",
    (
        "access",
        "ops",
        "delivery.life",
        "delivery.listening",
        "digests.keys",
        "selectors.ops",
        "trails.logging",
        "trails.ops",
        "trails.tagging",
    ),
    boots=True,
)
