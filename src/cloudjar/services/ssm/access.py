"""Condition keys of Parameter Store's requests.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx


def putting(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a parameter may be overwritten, and whether it may have policies."""
    keys: dict[str, Any] = {"ssm:Overwrite": _flag(req.get("Overwrite"))}
    if req.get("Policies"):
        keys["ssm:Policies"] = req["Policies"]
    return keys


def walking(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a path is walked down."""
    return {"ssm:Recursive": _flag(req.get("Recursive"))}


def _flag(value: Any) -> str:
    return "true" if value else "false"
