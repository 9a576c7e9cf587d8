"""Principals: the forms they may have, and those that are better written otherwise."""

from __future__ import annotations

import re

from cloudjar.policy import principal
from cloudjar.services.accessanalyzer.validation.report import Report
from cloudjar.services.accessanalyzer.validation.source import Node

_SERVICE = re.compile(r"[a-z0-9][a-z0-9.\-]*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)", re.ASCII)
_ROLE_ID = re.compile(r"AROA[A-Z0-9]{12,}", re.ASCII)
_USER_ID = re.compile(r"AIDA[A-Z0-9]{12,}", re.ASCII)
_SAML = re.compile(r"arn:[a-z-]+:iam::\d{12}:saml-provider/.+", re.ASCII)
_OIDC = re.compile(r"arn:[a-z-]+:iam::\d{12}:oidc-provider/.+|(?!arn:)[a-z0-9.\-]+\.[a-z]+.*", re.ASCII)
_FEDERATION = {"sts:assumerolewithsaml": _SAML, "sts:assumerolewithwebidentity": _OIDC}


def check_principals(report: Report, statement: Node) -> None:
    """Principal and NotPrincipal of a policy that may name them."""
    if not report.names_principals:
        return
    effect = statement.get("Effect")
    key = statement.key("NotPrincipal")
    if key is not None and effect is not None and effect.value == "Allow":
        report.add("ALLOW_WITH_NOT_PRINCIPAL", key)
    for element in ("Principal", "NotPrincipal"):
        node = statement.get(element)
        if node is not None:
            _element(report, node, broad=element == "Principal")
    if report.is_trust:
        _federation(report, statement)


def _element(report: Report, node: Node, *, broad: bool) -> None:
    if node.kind == "string":
        if node.value != "*":
            report.add("INVALID_PRINCIPAL_FORMAT", node)
        elif report.is_trust:
            report.add("UNSUPPORTED_WILDCARD_IN_PRINCIPAL", node, key="*")
        return
    if node.kind != "object":
        empty = node.kind == "array" and not node.items
        report.add("EMPTY_ARRAY_PRINCIPAL" if empty else "INVALID_PRINCIPAL_FORMAT", node)
        return
    if not node.members:
        report.add("EMPTY_OBJECT_PRINCIPAL", node)
    for member in node.members:
        if member.name not in principal.KEYS:
            report.add("INVALID_PRINCIPAL_KEY", member.key, key=member.name)
            continue
        if member.value.kind == "array" and not member.value.items:
            report.add("EMPTY_ARRAY_PRINCIPAL", member.value)
        for item in member.value.each():
            if item.kind != "string":
                report.add("DATA_TYPE_MISMATCH", item, type="STRING")
            else:
                _value(report, member.name, item, broad=broad)


def _value(report: Report, kind: str, node: Node, *, broad: bool) -> None:
    text = str(node.value)
    if ("*" in text or "?" in text) and not (text == "*" and kind == "AWS" and broad):
        report.add("UNSUPPORTED_WILDCARD_IN_PRINCIPAL", node, key=kind)
        return
    if kind == "Service" and not _SERVICE.fullmatch(text):
        report.add("INVALID_SERVICE_PRINCIPAL_FORMAT", node, format="service-name.amazonaws.com")
    if kind != "AWS" or text == "*":
        return
    if _ROLE_ID.fullmatch(text):
        report.add("INVALID_ROLE_REFERENCE", node, id=text)
    elif _USER_ID.fullmatch(text):
        report.add("INVALID_USER_REFERENCE", node, id=text)
    elif not principal.legal_aws(text):
        report.add("INVALID_PRINCIPAL_FORMAT", node)


def _federation(report: Report, statement: Node) -> None:
    """Identities from providers come by the operation that is made for their kind."""
    who, actions = statement.get("Principal"), statement.get("Action")
    if who is None or actions is None:
        return
    federated = who.get("Federated")
    named = list(federated.strings()) if federated is not None else []
    for node in actions.strings():
        form = _FEDERATION.get(str(node.value).lower())
        if form is None:
            continue
        wrong = [str(n.value) for n in named if not form.fullmatch(str(n.value))]
        if wrong or not named:
            shown = ", ".join(wrong) or "AWS"
            report.add("MISMATCHED_ACTION_FOR_PRINCIPAL", node, action=node.value, principals=shown)
