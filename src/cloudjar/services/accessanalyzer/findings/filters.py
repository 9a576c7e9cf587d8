"""Filters of findings: of lists, and of archive rules.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-filter-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.services.accessanalyzer import errors
from cloudjar.services.accessanalyzer.records import Criterion, Finding

_PLAIN = {
    "id": "id", "status": "status", "resource": "resource", "resourceType": "resource_type", "findingType": "type",
    "resourceOwnerAccount": "owner",
}  # fmt: skip
_TIMES = {"createdAt": "created", "updatedAt": "updated", "analyzedAt": "analyzed"}
_PREFIXES = ("condition.", "principal.")
_KNOWN = frozenset((*_PLAIN, *_TIMES, "isPublic", "action", "error"))


def attribute(finding: Finding, name: str) -> list[str] | None:
    """The values of a finding's attribute; None when it has none of that name."""
    if name in _PLAIN:
        return [str(getattr(finding, _PLAIN[name]))]
    if name == "isPublic":
        return ["true" if finding.public else "false"] if finding.type == "ExternalAccess" else None
    if name == "action":
        return list(finding.actions) or None
    if name in _TIMES:
        return [getattr(finding, _TIMES[name]).isoformat()]
    head, _, rest = name.partition(".")
    held = finding.condition if head == "condition" else finding.principal if head == "principal" else {}
    value = next((v for k, v in held.items() if k.lower() == rest.lower()), None)
    return None if value is None else [value]


def read(given: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Criterion]:
    """The ``filter`` of a request; raises ValidationException for attributes that findings do not have."""
    found = {}
    for name, wanted in (given or {}).items():
        if not (name in _KNOWN or name.startswith(_PREFIXES)):
            raise errors.validation(f"Invalid filter key: {name}")
        found[name] = Criterion(
            tuple(wanted.get("eq") or ()),
            tuple(wanted.get("neq") or ()),
            tuple(wanted.get("contains") or ()),
            wanted.get("exists"),
        )
    return found


def show(criteria: Mapping[str, Criterion]) -> dict[str, Any]:
    """The reverse of `read`."""
    return {
        name: {
            "eq": list(c.eq) or None,
            "neq": list(c.neq) or None,
            "contains": list(c.contains) or None,
            "exists": c.exists,
        }
        for name, c in criteria.items()
    }


def meets(finding: Finding, criteria: Mapping[str, Criterion]) -> bool:
    """Whether a finding meets every criterion."""
    return all(_meets(attribute(finding, name), criterion) for name, criterion in criteria.items())


def _meets(values: list[str] | None, wanted: Criterion) -> bool:
    if wanted.exists is not None and wanted.exists is (values is None):
        return False
    have = values or []
    if wanted.eq and not any(value in wanted.eq for value in have):
        return False
    if wanted.neq and any(value in wanted.neq for value in have):
        return False
    return not wanted.contains or any(part in value for part in wanted.contains for value in have)
