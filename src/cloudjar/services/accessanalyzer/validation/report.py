"""Findings about a policy's text, and what every check needs to know of the policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cloudjar.services.accessanalyzer.validation.catalogue import CHECKS, ORDER, Check
from cloudjar.services.accessanalyzer.validation.source import Node, position


@dataclass(frozen=True)
class Finding:
    """A check that found something, where."""

    check: Check
    details: str
    places: tuple[Node, ...]


@dataclass
class Report:
    """What is found in a policy; `kind` is the API's policy type, `resource` the resource type it is attached to."""

    text: str
    kind: str
    resource: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def names_principals(self) -> bool:
        """Resource policies, among them role trust policies, and RCPs."""
        return self.kind in ("RESOURCE_POLICY", "RESOURCE_CONTROL_POLICY")

    @property
    def is_trust(self) -> bool:
        """Whether it says who may assume a role."""
        return self.resource == "AWS::IAM::AssumeRolePolicyDocument"

    def add(self, code: str, *places: Node, **blanks: object) -> None:
        """Note a finding of the check `code` at some places."""
        check = CHECKS[code]
        self.findings.append(Finding(check, check.words.format(**blanks), places))

    def show(self) -> list[dict[str, Any]]:
        """The API's findings: the gravest first, then in the order of the text."""
        ordered = sorted(self.findings, key=lambda f: (ORDER.index(f.check.type), [p.start for p in f.places]))
        return [
            {
                "findingDetails": found.details,
                "findingType": found.check.type,
                "issueCode": found.check.code,
                "learnMoreLink": found.check.link,
                "locations": [self._location(place) for place in found.places],
            }
            for found in ordered
        ]

    def _location(self, place: Node) -> dict[str, Any]:
        start, end = position(self.text, place.start), position(self.text, place.end)
        return {
            "path": [{kind: value} for kind, value in place.path],
            "span": {"start": start._asdict(), "end": end._asdict()},
        }
