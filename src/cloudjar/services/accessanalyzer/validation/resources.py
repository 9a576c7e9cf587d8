"""Resource ARNs: their fields, and whether the service has resources of that form."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from cloudjar.policy import grammar, match
from cloudjar.services.accessanalyzer.reach import globs
from cloudjar.services.accessanalyzer.validation.actions import services
from cloudjar.services.accessanalyzer.validation.report import Report
from cloudjar.services.accessanalyzer.validation.source import Node
from cloudjar.spec import iam, regions

_WILD = re.compile(r"[*?]|\$\{")
_BLANK = re.compile(r"\$\{[^}]*\}")
_ACCOUNT = re.compile(r"\d{12}|aws|cloudfront|aws-managed|aws-marketplace", re.ASCII)
_FOREIGN = re.compile(r"(cn|us-gov|us-iso[a-z]*|eu-isoe|eusc-de)-[a-z]+-\d|[a-z]{2}-[a-z]+-\d", re.ASCII)
_FIELDS = 6


@cache
def _formats() -> dict[str, frozenset[str]]:
    """ARN formats by the service in the ARN."""
    found: dict[str, set[str]] = defaultdict(set)
    for prefix in services():
        for name in iam.resource_types_of(prefix):
            for text in iam.resource_type(prefix, name).formats:
                parts = text.split(":", 5)
                if len(parts) == _FIELDS:
                    found[parts[2]].add(text)
    return {service: frozenset(texts) for service, texts in found.items()}


def check_resources(report: Report, statement: Node) -> None:
    """Every value of Resource and NotResource."""
    for element in ("Resource", "NotResource"):
        listed = statement.get(element)
        for node in listed.strings() if listed is not None else ():
            if node.value != "*":
                _check(report, node)


def _check(report: Report, node: Node) -> None:
    text = str(node.value)
    if set(text) <= {"*"}:
        return
    prefix, _, rest = text.partition(":")
    if prefix != "arn":
        report.add("INVALID_ARN_PREFIX", node)
        return
    fields = _split(rest)
    if len(fields) < _FIELDS - 1:
        # A star that ends the text stands for the fields that are missing.
        if not text.endswith("*"):
            report.add("MISSING_ARN_FIELD", node, count=_FIELDS)
        return
    partition, service = fields[0], fields[1]
    if not _WILD.search(partition) and partition not in grammar.PARTITIONS:
        known = ", ".join(grammar.PARTITIONS)
        report.add("INVALID_PARTITION", node, service=service, partition=partition, partitions=known)
        return
    if _WILD.search(service):
        report.add("WILDCARD_IN_SERVICE_NAME", node)
    elif service != service.lower():
        report.add("INVALID_ARN_SERVICE_CASE", node, service=service)
    elif service not in _formats():
        if service not in services():
            report.add("INVALID_SERVICE", node, service=service)
    else:
        _fields(report, node, service, fields)


def _split(rest: str) -> list[str]:
    """The fields after ``arn:``; colons inside a variable do not count."""
    fields: list[str] = [""]
    depth = 0
    for i, char in enumerate(rest):
        depth += char == "{" and rest[i - 1 : i] == "$"
        if char == ":" and not depth and len(fields) < _FIELDS - 1:
            fields.append("")
            continue
        depth -= char == "}" and depth > 0
        fields[-1] += char
    return fields


def _fields(report: Report, node: Node, service: str, fields: list[str]) -> None:
    region, account, resource = fields[2:5]
    formats = [text.split(":", 5) for text in _formats()[service]]
    fitting = [f for f in formats if _fits(resource, f[5])]
    if not fitting:
        report.add("INVALID_ARN_RESOURCE", node)
        return
    _region(report, node, service, region, {f[3] for f in fitting})
    _account(report, node, service, account, {f[4] for f in fitting})


def _fits(resource: str, form: str) -> bool:
    """Whether a resource part, wildcards and variables included, can be one of a form."""
    return globs.meet(globs.like(resource), _form(form))


@cache
def _form(form: str) -> globs.Glob:
    return globs.like(_BLANK.sub("*", form))


def _region(report: Report, node: Node, service: str, region: str, forms: Iterable[str]) -> None:
    if region and not any(forms):
        if not set(region) <= {"*"}:
            report.add("ARN_REGION_NOT_ALLOWED", node, service=service)
    elif not region and all(forms):
        report.add("MISSING_ARN_REGION", node, service=service)
    elif region and not _WILD.search(region) and region not in regions.NAMES and not _FOREIGN.fullmatch(region):
        report.add("INVALID_ARN_REGION", node, region=region)


def _account(report: Report, node: Node, service: str, account: str, forms: Iterable[str]) -> None:
    if account and not any(forms):
        if not set(account) <= {"*"}:
            report.add("ARN_ACCOUNT_NOT_ALLOWED", node, service=service)
    elif account and not _WILD.search(account) and not _ACCOUNT.fullmatch(account):
        report.add("INVALID_ARN_ACCOUNT", node, account=account)


def covers(one: str, other: str) -> bool:
    """Whether one resource pattern takes in another."""
    if globs.has_variables(one) or globs.has_variables(other):
        return one == other
    return globs.covers(globs.resource(one), globs.resource(other))


def is_broad(text: str) -> bool:
    """Whether a resource pattern has a star in the part that names the resource."""
    pattern = match.parse(text, wildcards=True, variables=True)
    if all(atom is match.STAR for atom in pattern):
        return True
    fields = text.split(":", 5)
    return "*" in fields[5] if len(fields) == _FIELDS else "*" in fields[-1]
