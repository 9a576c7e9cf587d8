"""Policies that a simulation is to leave out: by type, by ARN with wildcards, by name and holder. Pure.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyIdentifier.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.services.iam import errors
from cloudjar.services.iam.sources import Source

Test = Callable[[Source], bool]


class Exclusions:
    """What a ``PolicyExclusionList`` says; raises InvalidInput for what is no identifier."""

    def __init__(self, items: Iterable[Mapping[str, Any]]) -> None:
        self._tests: list[Test] = []
        self._arns: list[re.Pattern[str]] = []
        self._types: set[str] = set()
        for item in items:
            self._add(item)

    def _add(self, item: Mapping[str, Any]) -> None:
        given = [name for name in ("PolicyType", "PolicyArn", "InlinePolicyIdentifier") if item.get(name)]
        if len(given) != 1:
            raise errors.invalid_input("A policy identifier must have exactly one of its members.")
        if given == ["PolicyType"]:
            self._types.add(item["PolicyType"])
        elif given == ["PolicyArn"]:
            self._arns.append(_arn_pattern(item["PolicyArn"]))
        else:
            self._tests.append(_inline(item["InlinePolicyIdentifier"]))

    @property
    def scps(self) -> bool:
        """Whether service control policies stay out."""
        return "scp" in self._types

    def source(self, source: Source) -> bool:
        """Whether a permissions policy stays out."""
        if source.type in self._types or any(test(source) for test in self._tests):
            return True
        return bool(source.arn) and any(pattern.fullmatch(source.arn) for pattern in self._arns)

    def boundary(self, arn: str) -> bool:
        """Whether the principal's boundary stays out: by its type or by its ARN."""
        return "permission-boundary" in self._types or any(pattern.fullmatch(arn) for pattern in self._arns)


def _glob(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."))


def _arn_pattern(text: str) -> re.Pattern[str]:
    parsed = arns.parse(text)
    head, _, name = text.rpartition("/")
    if parsed is None or parsed.service != "iam" or parsed.type != "policy" or "*" in head or "?" in head:
        raise errors.invalid_input(f"Invalid policy ARN in PolicyExclusionList: {text}")
    if name.count("*") > 1:
        raise errors.invalid_input(f"Invalid policy ARN in PolicyExclusionList: {text} has more than one wildcard *")
    return _glob(text)


def _inline(item: Mapping[str, Any]) -> Test:
    """By name and holder. AWS's guide speaks of wildcards in the holder's name; its model does not let them through."""

    def test(source: Source) -> bool:
        return (
            source.type == "inline"
            and source.kind == item["AttachmentType"]
            and source.name == item["PolicyName"]
            and source.holder.name == item["AttachmentName"]
        )

    return test
