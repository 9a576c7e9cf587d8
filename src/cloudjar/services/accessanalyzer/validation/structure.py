"""The shape of a document and of its statements: elements, their types, effects, ids, versions."""

from __future__ import annotations

import re
from collections import defaultdict

from cloudjar.services.accessanalyzer.validation.report import Report
from cloudjar.services.accessanalyzer.validation.source import Node

VERSIONS = ("2012-10-17", "2008-10-17")
_TOP = frozenset(("Version", "Id", "Statement"))
_ELEMENTS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
_PAIRS = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))
_SID = re.compile(r"[a-zA-Z0-9]*", re.ASCII)
_LISTS = ("Action", "NotAction", "Resource", "NotResource")
_EMPTY = {"Action": "ACTION", "NotAction": "ACTION", "Resource": "RESOURCE", "NotResource": "RESOURCE"}
_POLICY_NAMES = {"IDENTITY_POLICY": "IDENTITY_POLICY", "SERVICE_CONTROL_POLICY": "SERVICE_CONTROL_POLICY"}


def check_document(report: Report, root: Node) -> list[Node]:
    """The statements of a document that are objects."""
    if root.kind != "object":
        report.add("DATA_TYPE_MISMATCH", root, type="OBJECT")
        return []
    for member in root.members:
        if member.name not in _TOP:
            report.add("INVALID_POLICY_ELEMENT", member.key, element=member.name)
    _version(report, root)
    listed = root.get("Statement")
    if listed is None or (listed.kind == "array" and not listed.items):
        report.add("MISSING_STATEMENT", listed or root)
        return []
    found = []
    for node in listed.each():
        if node.kind == "object":
            found.append(node)
        else:
            report.add("DATA_TYPE_MISMATCH", node, type="OBJECT")
    return found


def _version(report: Report, root: Node) -> None:
    version = root.get("Version")
    if version is None:
        report.add("MISSING_VERSION", root)
    elif version.kind != "string":
        report.add("DATA_TYPE_MISMATCH", version, type="STRING")
    elif version.value not in VERSIONS:
        report.add("INVALID_VERSION", version, version=version.value, versions=", ".join(VERSIONS))


def check_statement(report: Report, statement: Node) -> None:
    """One statement: which elements it has, and of which types."""
    for member in statement.members:
        if member.name not in _ELEMENTS:
            report.add("INVALID_POLICY_ELEMENT", member.key, element=member.name)
    for one, other in _PAIRS:
        first, second = statement.key(one), statement.key(other)
        if first is not None and second is not None:
            report.add("UNSUPPORTED_ELEMENT_COMBINATION", first, second, one=one, other=other)
    _effect(report, statement)
    _sid(report, statement)
    _lists(report, statement)
    _presence(report, statement)


def _effect(report: Report, statement: Node) -> None:
    effect = statement.get("Effect")
    if effect is None:
        report.add("MISSING_EFFECT", statement)
    elif effect.kind != "string":
        report.add("DATA_TYPE_MISMATCH", effect, type="STRING")
    elif effect.value not in ("Allow", "Deny"):
        report.add("INVALID_EFFECT", effect, effect=effect.value)


def _sid(report: Report, statement: Node) -> None:
    sid = statement.get("Sid")
    if sid is None:
        return
    if sid.kind != "string":
        report.add("DATA_TYPE_MISMATCH", sid, type="STRING")
    elif not sid.value:
        report.add("EMPTY_SID_VALUE", sid)
    elif report.kind == "IDENTITY_POLICY" and not _SID.fullmatch(sid.value):
        report.add("UNSUPPORTED_SID", sid)


def _lists(report: Report, statement: Node) -> None:
    for name in _LISTS:
        node = statement.get(name)
        if node is None:
            continue
        if node.kind == "array" and not node.items:
            report.add(f"EMPTY_ARRAY_{_EMPTY[name]}", node)
        for item in node.each():
            if item.kind != "string":
                report.add("DATA_TYPE_MISMATCH", item, type="STRING")


def _presence(report: Report, statement: Node) -> None:
    has = {member.name for member in statement.members}
    if not has & {"Action", "NotAction"}:
        report.add("MISSING_ACTION", statement)
    if not has & {"Resource", "NotResource"} and not report.is_trust:
        report.add("MISSING_RESOURCE", statement)
    if report.names_principals:
        if not has & {"Principal", "NotPrincipal"}:
            report.add("MISSING_PRINCIPAL", statement)
        return
    for name in ("Principal", "NotPrincipal"):
        key = statement.key(name)
        if key is None:
            continue
        if report.kind == "SERVICE_CONTROL_POLICY":
            report.add("SCP_SYNTAX_ERROR_PRINCIPAL", key)
        else:
            report.add("UNSUPPORTED_PRINCIPAL", key, policy=_POLICY_NAMES.get(report.kind, report.kind))


def check_sids(report: Report, statements: list[Node]) -> None:
    """Ids that two statements share: an error in IAM, bad style elsewhere."""
    by_sid: dict[str, list[Node]] = defaultdict(list)
    for statement in statements:
        sid = statement.get("Sid")
        if sid is not None and sid.kind == "string" and sid.value:
            by_sid[sid.value].append(sid)
    code = "UNIQUE_SIDS_RECOMMENDED" if report.kind == "RESOURCE_POLICY" else "UNIQUE_SIDS_REQUIRED"
    for nodes in by_sid.values():
        if len(nodes) > 1:
            report.add(code, *nodes)


_SPACE = re.compile(r"\s")
IDENTITY_QUOTA, SCP_QUOTA = 6144, 5120


def check_size(report: Report) -> None:
    """The quotas of characters."""
    if report.kind == "IDENTITY_POLICY":
        size = len(_SPACE.sub("", report.text))
        if size > IDENTITY_QUOTA:
            report.add("POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA", _whole(report), size=size, quota=IDENTITY_QUOTA)
    elif report.kind == "SERVICE_CONTROL_POLICY" and len(report.text) > SCP_QUOTA:
        report.add("POLICY_SIZE_EXCEEDS_SCP_QUOTA", _whole(report), size=len(report.text), quota=SCP_QUOTA)


def _whole(report: Report) -> Node:
    return Node("object", (), 0, len(report.text))
