"""AWS FIS for the access law: what each operation is asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.jar import ACCOUNT

Scene = Callable[[Any], dict[str, Any]]
_TEMPLATE = f"arn:aws:fis:eu-west-3:{ACCOUNT}:experiment-template/EXT0000000000000"


def _wait(_: Any) -> dict[str, Any]:
    wait = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT5M"}}
    role = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    return {"roleArn": role, "actions": {"wait": wait}, "stopConditions": [{"source": "none"}]}


def _tagged(_: Any) -> dict[str, Any]:
    return {"resourceArn": _TEMPLATE}


SCENES: dict[str, Scene] = {
    **dict.fromkeys(("fis:ListTagsForResource", "fis:TagResource", "fis:UntagResource"), _tagged),
    "fis:CreateExperimentTemplate": _wait,
}
