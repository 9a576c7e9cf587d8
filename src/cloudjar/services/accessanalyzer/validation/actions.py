"""Actions: whether they exist, and for whom they are."""

from __future__ import annotations

import difflib
import re
from functools import cache
from pathlib import Path

from cloudjar.policy import match
from cloudjar.services.accessanalyzer.validation.report import Report
from cloudjar.services.accessanalyzer.validation.source import Node
from cloudjar.spec import iam

_WILD = re.compile(r"[*?]")
_OF_RESOURCES = {
    "AWS::S3::Bucket": "s3",
    "AWS::S3::AccessPoint": "s3",
    "AWS::S3::MultiRegionAccessPoint": "s3",
    "AWS::S3ObjectLambda::AccessPoint": "s3-object-lambda",
    "AWS::IAM::AssumeRolePolicyDocument": "sts",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::S3Tables::TableBucket": "s3tables",
    "AWS::S3Tables::Table": "s3tables",
}


@cache
def services() -> frozenset[str]:
    """Every action prefix of the authorization reference."""
    folder = Path(iam.__file__).with_name("data") / "iam" / "actions"
    return frozenset(file.stem for file in folder.glob("*.json"))


@cache
def _actions(service: str) -> dict[str, str]:
    """A service's actions: in lower case -> as written."""
    return {name.lower(): name for name in iam.actions_of(service)}


def named(pattern: str) -> list[str]:
    """The actions that a value of Action names, as ``service:Name``; none for one that does not exist."""
    prefix, _, name = pattern.partition(":")
    prefix = prefix.lower()
    if pattern == "*":
        return [f"{service}:{name}" for service in sorted(services()) for name in iam.actions_of(service)]
    chosen = sorted(s for s in services() if _test(prefix)(s)) if _WILD.search(prefix) else [prefix]
    found = []
    for service in chosen:
        if service in services():
            test = _test(name.lower())
            found += [f"{service}:{written}" for low, written in _actions(service).items() if test(low)]
    return found


def _test(text: str) -> match.Test:
    return match.compile_glob(match.parse(text, wildcards=True, variables=False))


def check_actions(report: Report, statement: Node) -> None:
    """Every value of Action and NotAction."""
    for element in ("Action", "NotAction"):
        listed = statement.get(element)
        for node in listed.strings() if listed is not None else ():
            _check(report, node)


def _check(report: Report, node: Node) -> None:
    text = str(node.value)
    if text == "*":
        return
    prefix, colon, name = text.partition(":")
    if not colon or not prefix:
        report.add("INVALID_ACTION", node, action=text, hint=_maybe(f"{prefix or name}", _all_named(text)))
        return
    if _WILD.search(prefix):
        report.add("WILDCARD_IN_SERVICE_NAME", node)
        return
    if prefix.lower() not in services():
        report.add("INVALID_SERVICE_IN_ACTION", node, service=prefix, hint=_maybe(prefix, sorted(services())))
        return
    if not named(text):
        known = [f"{prefix.lower()}:{written}" for written in iam.actions_of(prefix.lower())]
        report.add("INVALID_ACTION", node, action=text, hint=_maybe(text, known))
        return
    wanted = _OF_RESOURCES.get(report.resource)
    if wanted is not None and prefix.lower() != wanted and not text.startswith("*"):
        report.add("UNSUPPORTED_ACTION_IN_POLICY", node, action=text, resource=report.resource)


def _all_named(text: str) -> list[str]:
    """Actions of any service that are called like a text without a prefix."""
    low = text.lower()
    return [f"{s}:{_actions(s)[low]}" for s in sorted(services()) if low in _actions(s)]


def _maybe(text: str, known: list[str]) -> str:
    """``Did you mean ...?``, when something is close enough."""
    by_low = {name.lower(): name for name in known}
    close = difflib.get_close_matches(text.lower(), list(by_low), 1, 0.75)
    if not close and len(known) == 1:
        close = [known[0].lower()]
    return f" Did you mean {by_low[close[0]]}?" if close else ""
