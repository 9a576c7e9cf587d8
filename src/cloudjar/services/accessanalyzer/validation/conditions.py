"""Conditions: operators, keys and values, and whether they go together."""

from __future__ import annotations

import base64
import binascii
import re
from collections import defaultdict
from ipaddress import ip_network
from typing import NamedTuple

from cloudjar.policy.conditions import address, block, date, number
from cloudjar.services.accessanalyzer.validation import keys
from cloudjar.services.accessanalyzer.validation.actions import services
from cloudjar.services.accessanalyzer.validation.keys import Key
from cloudjar.services.accessanalyzer.validation.report import Report
from cloudjar.services.accessanalyzer.validation.source import Member, Node
from cloudjar.spec import regions

_FAMILIES = {
    "string": "String", "numeric": "Numeric", "date": "Date", "bool": "Bool", "binary": "Binary",
    "ipaddress": "IpAddress", "notipaddress": "IpAddress", "arn": "Arn", "null": "Null",
}  # fmt: skip
_ALLOWED = {
    "String": ("String",), "ARN": ("Arn", "String"), "Bool": ("Bool",), "Numeric": ("Numeric",), "Date": ("Date",),
    "Epoch": ("Date", "Numeric"), "IP": ("IpAddress",),
}  # fmt: skip
_SHOWN = {"Arn": "ARN", "Bool": "Boolean", "IpAddress": "IP address"}
_EPOCH = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_VPC = re.compile(r"vpc-([0-9a-z]{8}|[0-9a-z]{17})", re.ASCII)
_VPCE = re.compile(r"vpce-([0-9a-z]{8}|[0-9a-z]{17})", re.ASCII)


class Line(NamedTuple):
    """One operator applied to one key."""

    operator: Node
    spelling: block.Spelling
    family: str
    key: Node
    name: str
    facts: Key | None
    values: Node


def check_conditions(report: Report, statement: Node) -> None:
    """The Condition element of a statement."""
    condition = statement.get("Condition")
    if condition is None:
        return
    if condition.kind != "object":
        report.add("DATA_TYPE_MISMATCH", condition, type="OBJECT")
        return
    if not condition.members:
        report.add("EMPTY_OBJECT_CONDITION", condition)
    effect = statement.get("Effect")
    allows = effect is not None and effect.value == "Allow"
    for member in condition.members:
        _operator(report, member, allows=allows)


def _operator(report: Report, member: Member, *, allows: bool) -> None:
    name = member.name
    if name.lower().rpartition(":")[2] == "nullifexists":
        report.add("NULL_WITH_IF_EXISTS", member.key)
        return
    spelling = block.spell(name)
    if spelling is None:
        report.add("INVALID_CONDITION_OPERATOR", member.key, operator=name)
        return
    if member.value.kind != "object":
        report.add("DATA_TYPE_MISMATCH", member.value, type="OBJECT")
        return
    if not member.value.members:
        report.add("EMPTY_OBJECT_CONDITION", member.value)
    if spelling.base == "null" and spelling.over:
        report.add("NULL_WITH_QUALIFIER", member.key)
    _doubles(report, member.value)
    for entry in member.value.members:
        facts = _key(report, entry)
        line = Line(member.key, spelling, _family(spelling.base), entry.key, entry.name, facts, entry.value)
        _line(report, line, allows=allows)


def _family(base: str) -> str:
    return next(family for start, family in _FAMILIES.items() if base.startswith(start))


def _doubles(report: Report, node: Node) -> None:
    by_name: dict[str, list[Node]] = defaultdict(list)
    for member in node.members:
        by_name[member.name.lower()].append(member.key)
    for found in by_name.values():
        if len(found) > 1:
            report.add("DUPLICATE_KEYS_WITH_DIFFERENT_CASE", *found, key=found[0].value)


def _key(report: Report, member: Member) -> Key | None:
    name = member.name
    prefix, colon, rest = name.partition(":")
    if not colon or not prefix or not rest:
        report.add("INVALID_CONDITION_KEY_FORMAT", member.key)
        return None
    if prefix.lower() == "aws":
        if name.lower() == "aws:arn":
            report.add("UNSUPPORTED_GLOBAL_CONDITION_KEY", member.key)
            return None
        facts = keys.global_key(name)
        if facts is None:
            report.add("INVALID_GLOBAL_CONDITION_KEY", member.key, key=name)
        return facts
    if keys.of_provider(name):
        return None
    if prefix.lower() not in services():
        report.add("INVALID_SERVICE", member.key, service=prefix)
        return None
    facts = keys.service_key(name)
    if facts is None:
        report.add("INVALID_SERVICE_CONDITION_KEY", member.key, key=name, service=prefix)
    return facts


def _line(report: Report, line: Line, *, allows: bool) -> None:
    items = line.values.each()
    if not items:
        _nothing(report, line)
        return
    if any(item.kind not in ("string", "number", "boolean") for item in items):
        wrong = next(item for item in items if item.kind not in ("string", "number", "boolean"))
        report.add("DATA_TYPE_MISMATCH", wrong, type="STRING")
        return
    if len({item.kind for item in items}) > 1:
        report.add("INVALID_CONDITION_DATA_TYPE", line.values)
    _quantity(report, line, allows=allows)
    if line.facts is not None and line.family not in ("Null", *_ALLOWED[line.facts.type]):
        allowed = _ALLOWED[line.facts.type][0]
        shown = _SHOWN.get(allowed, allowed)
        report.add("TYPE_MISMATCH", line.operator, allowed=shown, operator=line.operator.value, key=line.name)
        return
    for item in items:
        _value(report, line, item)
    _together(report, line)


def _nothing(report: Report, line: Line) -> None:
    if line.spelling.over == "forallvalues":
        code = "EMPTY_ARRAY_CONDITION_FORALLVALUES"
    elif line.spelling.over == "foranyvalue":
        code = "EMPTY_ARRAY_CONDITION_FORANYVALUE"
    else:
        code = "EMPTY_ARRAY_CONDITION_IFEXISTS" if line.spelling.if_exists else "EMPTY_ARRAY_CONDITION"
    report.add(code, line.values, key=line.name)


def _quantity(report: Report, line: Line, *, allows: bool) -> None:
    if line.facts is None or line.family == "Null":
        return
    if line.facts.many and not line.spelling.over:
        report.add("MISSING_QUALIFIER", line.key, key=line.name)
    if not line.facts.many and line.spelling.over == "forallvalues" and allows:
        report.add("FORALLVALUES_WITH_SINGLE_VALUED_KEY", line.operator, key=line.name)


def _text(node: Node) -> str:
    return str(node.value).lower() if node.kind == "boolean" else str(node.value)


def _value(report: Report, line: Line, node: Node) -> None:
    text, operator = _text(node), line.operator.value
    if "${" in text:
        if line.family not in ("String", "Arn"):
            report.add("INVALID_VARIABLE_FOR_OPERATOR", node)
        return
    match line.family:
        case "Bool" | "Null" if text.lower() not in ("true", "false"):
            report.add("TYPE_MISMATCH_BOOLEAN", node, operator=operator)
        case "Numeric" if number.read(text) is None:
            report.add("TYPE_MISMATCH_NUMBER", node, operator=operator)
        case "Date":
            _date(report, node, text)
        case "IpAddress":
            _address(report, line, node, text)
        case "Binary" if not _is_base64(text):
            report.add("TYPE_MISMATCH_STRING", node, operator=operator)
        case "String":
            _string(report, line, node, text)


def _date(report: Report, node: Node, text: str) -> None:
    if date.read(text) is None:
        report.add("TYPE_MISMATCH_DATE", node)
    elif _EPOCH.fullmatch(text):
        report.add("INVALID_DATE_VALUE", node, date=text)


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _address(report: Report, line: Line, node: Node, text: str) -> None:
    if address.network(text) is None:
        report.add("TYPE_MISMATCH_IP_RANGE", node, operator=line.operator.value)
        return
    loose = ip_network(text, strict=False)
    if "/" in text and str(loose.network_address) != text.partition("/")[0].lower():
        report.add("IMPROVE_IP_RANGE", node, range=loose)


def _string(report: Report, line: Line, node: Node, text: str) -> None:
    name, like = line.name.lower(), line.spelling.base.endswith("like")
    wild = "*" in text or "?" in text
    if wild and not like:
        report.add("WILDCARD_WITHOUT_LIKE_OPERATOR", node)
        return
    if wild:
        return
    if name == "aws:requestedregion" and text not in regions.NAMES and not re.fullmatch(r"(cn|us-gov)-.+", text):
        report.add("INVALID_REGION", node, region=text)
    elif name == "aws:sourcevpc" and not _VPC.fullmatch(text):
        report.add("INVALID_VPC_FORMAT", node)
    elif name == "aws:sourcevpce" and not _VPCE.fullmatch(text):
        report.add("INVALID_VPC_ENDPOINT_FORMAT", node)


def _together(report: Report, line: Line) -> None:
    """What several values say together."""
    items = line.values.each()
    if line.family == "Bool" and len(items) > 1:
        report.add("INVALID_CONDITION_MULTIPLE_BOOLEAN", line.values)
    if line.family == "Numeric" and len(items) > 1 and line.spelling.base not in ("numericequals", "numericnotequals"):
        report.add("REDUNDANT_CONDITION_VALUE_NUM", line.values, key=line.name, operator=line.operator.value)
    if line.family == "IpAddress" and line.name.lower() == "aws:sourceip":
        _private(report, line, items)


def _private(report: Report, line: Line, items: list[Node]) -> None:
    networks = [ip_network(_text(item), strict=False) for item in items if address.network(_text(item)) is not None]
    private = [net for net in networks if net.is_private]
    if not private:
        return
    denying = "NOT_" if line.spelling.base == "notipaddress" else ""
    if len(private) == len(networks):
        report.add(f"PRIVATE_{denying}IP_ADDRESS", line.values)
    else:
        report.add(f"PRIVATE_{denying}IP_ADDRESS_SUBSET", line.values)
