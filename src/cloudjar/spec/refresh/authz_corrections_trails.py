"""Corrections of CloudTrail: a trail is named by its name or by its ARN."""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]

_TEXT = "arn:${Partition}:cloudtrail:${Region}:${Account}:trail/${value}"


def trails(service: Any, ops: Ops) -> None:
    """Whatever asks about a trail that is there asks for the stored one."""
    for operation, entries in ops.items():
        if operation == "CreateTrail":
            continue
        for entry in entries:
            for r in entry["r"]:
                for member in ("Name", "TrailName"):
                    if r[0] == "trail" and r[1] == _TEXT.replace("value", member):
                        r[1] = ["by", "cloudtrail:trail", member, _TEXT]
