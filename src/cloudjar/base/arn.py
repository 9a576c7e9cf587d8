"""Amazon Resource Names.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

from typing import NamedTuple

PARTITION = "aws"


class Arn(NamedTuple):
    """``arn:partition:service:region:account:resource``; `resource` may hold colons and slashes."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def type(self) -> str:
        """The resource type before the first ``/`` or ``:``; empty when there is none (S3, SQS)."""
        for i, c in enumerate(self.resource):
            if c in "/:":
                return self.resource[:i]
        return ""

    @property
    def name(self) -> str:
        """What follows the resource type."""
        return self.resource[len(self.type) + 1 :] if self.type else self.resource


def parse(text: str) -> Arn | None:
    """The parts of an ARN, or None when the text is not one."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[1] or not parts[2] or not parts[5]:
        return None
    return Arn(*parts[1:])


def make(service: str, region: str, account: str, resource: str) -> str:
    """An ARN in the standard partition."""
    return f"arn:{PARTITION}:{service}:{region}:{account}:{resource}"
