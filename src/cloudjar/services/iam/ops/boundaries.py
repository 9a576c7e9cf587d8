"""Permissions boundaries of users and roles.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import managed
from cloudjar.services.iam.access import boundary_key
from cloudjar.services.iam.kinds import KINDS, Kind


def _declare(kind: Kind) -> None:
    @op(f"Put{kind.word}PermissionsBoundary", keys=boundary_key)
    def put(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """Bound what a principal's policies can grant."""
        kind.put(ctx, kind.need_free(ctx, req), boundary=managed.boundary(ctx, req["PermissionsBoundary"]))
        return {}

    @op(f"Delete{kind.word}PermissionsBoundary")
    def delete(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
        """Lift the boundary."""
        kind.put(ctx, kind.need_free(ctx, req), boundary="")
        return {}


for _kind in KINDS:
    if _kind.word != "Group":  # groups are no principals: they cannot be bounded
        _declare(_kind)
