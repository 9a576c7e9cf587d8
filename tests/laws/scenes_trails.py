"""What the laws ask CloudTrail about."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT

_ARN = f"arn:aws:cloudtrail:eu-west-3:{ACCOUNT}:trail/law"

SCENES: dict[str, Any] = {
    "cloudtrail:AddTags": lambda _: {"ResourceId": _ARN},
    "cloudtrail:RemoveTags": lambda _: {"ResourceId": _ARN},
    "cloudtrail:ListTags": lambda _: {"ResourceIdList": [_ARN]},
}
