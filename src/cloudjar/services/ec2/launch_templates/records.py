"""A launch template as it is stored, and each version of it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-template-restrictions.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit.record import Record, record

TEMPLATES_PER_REGION = 5000
VERSIONS_PER_TEMPLATE = 10000
"""Service Quotas has no codes for the two."""


@record(
    "ec2",
    "launch-template",
    index=("name",),
    missing=(
        "InvalidLaunchTemplateId.NotFound",
        "The specified launch template, with template ID {key}, does not exist.",
    ),
)
class LaunchTemplate(Record, frozen=True, kw_only=True):
    """A named template; `latest` is the highest version that is there, `made` how many there ever were."""

    id: str
    name: str
    created: datetime
    created_by: str
    default: int = 1
    latest: int = 1
    made: int = 1
    tags: dict[str, str] = {}


@record("ec2", "launch-template-version", key="ref", index=("template_id",))
class LaunchTemplateVersion(Record, frozen=True, kw_only=True):
    """One version. `data` is what was asked for, in the spelling of the API, instants as ISO 8601 text."""

    ref: str
    """``lt-...:3``."""
    template_id: str
    number: int
    description: str = ""
    created: datetime
    created_by: str
    data: dict[str, Any]


def ref(template_id: str, number: int) -> str:
    """The key of a version."""
    return f"{template_id}:{number}"
