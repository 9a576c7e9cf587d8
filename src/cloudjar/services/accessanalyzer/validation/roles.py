"""Permissions that hand out roles: iam:PassRole and iam:CreateServiceLinkedRole, given too widely."""

from __future__ import annotations

from cloudjar.policy import match
from cloudjar.services.accessanalyzer.validation.report import Report
from cloudjar.services.accessanalyzer.validation.resources import is_broad
from cloudjar.services.accessanalyzer.validation.source import Node

_CHECKED = {
    "iam:passrole": ("PASS_ROLE", "iam:passedtoservice"),
    "iam:createservicelinkedrole": ("CREATE_SLR", "iam:awsservicename"),
}


def check_roles(report: Report, statement: Node) -> None:
    """A statement that allows, in a policy of an identity."""
    effect = statement.get("Effect")
    if report.kind != "IDENTITY_POLICY" or effect is None or effect.value != "Allow":
        return
    for action, (code, key) in _CHECKED.items():
        if key not in _condition_keys(statement):
            _check(report, statement, action, code)


def _condition_keys(statement: Node) -> set[str]:
    condition = statement.get("Condition")
    members = condition.members if condition is not None else []
    return {entry.name.lower() for operator in members for entry in operator.value.members}


def _check(report: Report, statement: Node, action: str, code: str) -> None:
    named = _how_named(statement, action)
    if not named:
        return
    how, node = named
    resource, other = statement.get("Resource"), statement.key("NotResource")
    if other is not None:
        suffix = {"exact": "NOT_RESOURCE", "star": "STAR_IN_ACTION_AND_NOT_RESOURCE"}.get(how)
        report.add(f"{code}_WITH_{suffix or 'NOT_ACTION_AND_NOT_RESOURCE'}", node, other)
        return
    for found in resource.strings() if resource is not None else ():
        wide = str(found.value)
        if how == "exact" and is_broad(wide):
            report.add(f"{code}_WITH_STAR_IN_RESOURCE", found)
        elif how == "star" and set(wide) <= {"*"}:
            report.add(f"{code}_WITH_STAR_IN_ACTION_AND_RESOURCE", node, found)
        elif how == "not" and set(wide) <= {"*"}:
            report.add(f"{code}_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION", node, found)
        else:
            continue
        return


def _how_named(statement: Node, action: str) -> tuple[str, Node] | None:
    """Whether the action is named as it is, by a star, or by not being excepted; and where."""
    listed = statement.get("Action")
    star: Node | None = None
    for node in listed.strings() if listed is not None else ():
        text = str(node.value).lower()
        if text == action:
            return "exact", node
        if star is None and match.compile_glob(match.parse(text, wildcards=True, variables=False))(action):
            star = node
    if star is not None:
        return "star", star
    excepted = statement.get("NotAction")
    key = statement.key("NotAction")
    if excepted is None or key is None:
        return None
    tests = (match.parse(str(n.value).lower(), wildcards=True, variables=False) for n in excepted.strings())
    return None if any(match.compile_glob(test)(action) for test in tests) else ("not", key)
