"""Lists that AWS pages without saying so in its model."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from cloudjar.kit import pages

MOST = 1000


def page(operation: str, req: dict[str, Any], member: str, items: list[Any]) -> dict[str, Any]:
    """One page of `items`; raises for a token that is none."""
    how = SimpleNamespace(
        input_token=["NextToken"], output_token=["NextToken"], limit_key="PageSize", result_keys=[member],
        more_results=None,
    )  # fmt: skip
    return pages.cut(how, "sesv2", operation, {**req, "PageSize": req.get("PageSize") or MOST}, {member: items})
