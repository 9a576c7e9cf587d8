"""A policy out of actions and the resources on which they were used. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.policy.match import service_of
from cloudjar.spec import iam

Used = Sequence[tuple[str, Sequence[str]]]
"""Actions and the resources on which they were used."""

_MOST_RESOURCES = 100
"""With more than so many resources, an action is allowed on all of the type."""


def document(used: Used, *, placeholders: bool) -> dict[str, Any]:
    """Statements by service: actions that were used on the same resources together. With `placeholders`, the names of
    resources are left open (``${RoleName}``) as AWS leaves them; else they are those that were used."""
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for action, resources in used:
        named = _open(action, resources) if placeholders else _fixed(resources)
        grouped[service_of(action), named].append(action)
    statements = [
        {
            "Effect": "Allow",
            "Action": sorted(actions),
            "Resource": list(resources) if len(resources) > 1 else resources[0],
        }
        for (_, resources), actions in sorted(grouped.items())
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _fixed(resources: Iterable[str]) -> tuple[str, ...]:
    found = tuple(sorted(set(resources)))
    if "*" in found or not found:
        return ("*",)
    return found if len(found) <= _MOST_RESOURCES else tuple(sorted({_of_type(text) for text in found}))


def _of_type(text: str) -> str:
    arn = arns.parse(text)
    return str(arn._replace(resource=f"{arn.type}/*" if arn.type else "*")) if arn is not None else text


def _open(action: str, resources: Iterable[str]) -> tuple[str, ...]:
    """The ARN formats of what an action was used on, with AWS's own names for the blanks."""
    if set(resources) == {"*"}:
        return ("*",)
    try:
        facts = iam.action(action)
        types = [iam.resource_type(service_of(action), resource.type) for resource in facts.resources]
    except iam.UnknownAction:
        return ("*",)
    used = (kind for kind in types if any(kind.matches(text) for text in resources))
    found = {kind.formats[0].replace("${Partition}", arns.PARTITION) for kind in used}
    return tuple(sorted(found)) or ("*",)
