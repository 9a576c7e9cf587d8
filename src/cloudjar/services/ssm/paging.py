"""Pages that are cut before they are rendered: a value is decrypted only when it is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from cloudjar.kit import pages
from cloudjar.spec.models import Paginator

T = TypeVar("T")

MOST = {"DescribeParameters": 50, "GetParameterHistory": 50, "GetParametersByPath": 10, "GetResourcePolicies": 50}
"""What a page holds when the request does not say."""


def page(
    operation: str, req: dict[str, Any], member: str, items: Sequence[T], show: Callable[[T], dict[str, Any]]
) -> dict[str, Any]:
    """One page of `items` as the answer's `member`, each shown by `show`, with the token of the next."""
    how = Paginator(("NextToken",), ("NextToken",), "MaxResults", (member,), "")
    asked = {**req, "MaxResults": req.get("MaxResults") or MOST[operation]}
    cut = pages.cut(how, "ssm", operation, asked, {member: list(items)})
    return {**cut, member: [show(item) for item in cut[member]]}
