"""Random passwords."""

from __future__ import annotations

from typing import Any

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.secretsmanager import passwords


@op("GetRandomPassword")
def get_random_password(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A password that nobody had before; it is told to the caller alone."""
    return {"RandomPassword": passwords.make(req, ids.below)}
