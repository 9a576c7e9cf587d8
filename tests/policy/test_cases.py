"""Decisions, replayed from the readable cases under `cases/`.

A file of decisions is ``{"about", "policies"?, "cases": [...]}``; a case may override the file's policies.
Policies are written as lists of statements (version 2012-10-17 is added) or as whole documents. `as`
names one of `WHO`. `expect` is ``allow``, ``deny: LAYER`` or ``lacks: LAYER``, LAYER as in `Flavour`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudjar.policy import (
    AccessRequest,
    Decision,
    Flavour,
    Kind,
    Policy,
    PolicySet,
    PolicySyntaxError,
    Principal,
    Reason,
    access_denied,
    decide,
    explain,
    parse,
    render,
)

CASES = Path(__file__).parent / "cases"
HOME, AWAY = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{HOME}:role/team/app"
WHO = {
    "alice": Principal(Kind.USER, f"arn:aws:iam::{HOME}:user/alice", HOME, unique_id="AIDAALICEALICEALICE12"),
    "bob": Principal(Kind.USER, f"arn:aws:iam::{AWAY}:user/bob", AWAY, unique_id="AIDABOBBOBBOBBOBBOB12"),
    "root": Principal(Kind.ROOT, f"arn:aws:iam::{HOME}:root", HOME, canonical_id="c0ffee"),
    "away root": Principal(Kind.ROOT, f"arn:aws:iam::{AWAY}:root", AWAY),
    "app": Principal(
        Kind.ROLE_SESSION,
        f"arn:aws:sts::{HOME}:assumed-role/app/i-1",
        HOME,
        base_arn=ROLE,
        unique_id="AROAAPPAPPAPPAPPAPP12",
    ),
    "away app": Principal(
        Kind.ROLE_SESSION,
        f"arn:aws:sts::{AWAY}:assumed-role/app/i-1",
        AWAY,
        base_arn=f"arn:aws:iam::{AWAY}:role/app",
        unique_id="AROAAWAYAWAYAWAYAWA12",
    ),
    "guest": Principal(
        Kind.FEDERATED_USER,
        f"arn:aws:sts::{HOME}:federated-user/guest",
        HOME,
        base_arn=f"arn:aws:iam::{HOME}:user/alice",
        unique_id="AIDAALICEALICEALICE12",
    ),
    "sns": Principal(Kind.SERVICE, "sns.amazonaws.com"),
    "logs": Principal(Kind.SERVICE, "logs.amazonaws.com", names=("logs.eu-west-1.amazonaws.com",)),
    "google": Principal(Kind.WEB_IDENTITY, "accounts.google.com"),
    "anyone": Principal(Kind.ANONYMOUS),
}


def load(folder: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for path in sorted((CASES / folder).glob("*.json")):
        file = json.loads(path.read_text())
        for case in file["cases"]:
            yield f"{folder}/{path.stem}: {case['name']}", file, case


def policy(value: Any, flavour: Flavour, name: str) -> Policy:
    document = {"Version": "2012-10-17", "Statement": value} if isinstance(value, list) else value
    return Policy(parse(json.dumps(document), flavour), name)


def policies(given: dict[str, Any]) -> PolicySet:
    def levels(key: str, flavour: Flavour) -> tuple[tuple[Policy, ...], ...]:
        return tuple(tuple(policy(p, flavour, key) for p in level) for level in given.get(key, []))

    def one(key: str, flavour: Flavour) -> Policy | None:
        return policy(given[key], flavour, key) if key in given else None

    session = given.get("session")
    return PolicySet(
        identity=tuple(policy(p, Flavour.IDENTITY, f"p{i}") for i, p in enumerate(given.get("identity", []))),
        boundary=one("boundary", Flavour.BOUNDARY),
        session=None if session is None else tuple(policy(p, Flavour.SESSION, "session") for p in session),
        scps=levels("scps", Flavour.SCP),
        rcps=levels("rcps", Flavour.RCP),
        resource=one("resource", Flavour.RESOURCE) or one("trust", Flavour.TRUST),
        endpoint=one("endpoint", Flavour.ENDPOINT),
        resource_must_allow=given.get("resource_must_allow", False),
        exempt_from_scps=given.get("exempt_from_scps", False),
        exempt_from_rcps=given.get("exempt_from_rcps", False),
    )


def said(decision: Decision) -> str:
    if decision.layer is None:
        return "allow"
    return f"{'deny' if decision.reason is Reason.EXPLICIT_DENY else 'lacks'}: {decision.layer.value}"


DECISIONS = [
    case
    for topic in sorted(p.name for p in CASES.iterdir())
    if topic not in ("conditions", "malformed")
    for case in load(topic)
]


def request_of(file: dict[str, Any], case: dict[str, Any]) -> AccessRequest:
    asked = {**file.get("request", {}), **case.get("request", {})}
    return AccessRequest(
        asked.get("do", "s3:GetObject"),
        asked.get("on", "arn:aws:s3:::box/key"),
        WHO[asked.get("as", "alice")],
        asked.get("with", {}),
        asked.get("owner", HOME),
    )


@pytest.mark.parametrize(("file", "case"), [c[1:] for c in DECISIONS], ids=[c[0] for c in DECISIONS])
def test_decision(file: dict[str, Any], case: dict[str, Any]) -> None:
    request = request_of(file, case)
    given = policies({**file.get("policies", {}), **case.get("policies", {})})
    decision = decide(request, given)
    trace = explain(request, given)
    assert said(decision) == case["expect"], render(trace)
    assert trace.decision == decision
    if "message" in case:
        assert access_denied(request, decision) == case["message"]
    for match in decision.matches:
        layer = [t for t in trace.layers if t.layer is match.layer]
        matched = {(p.name, s.index) for t in layer for p in t.policies for s in p.statements if s.matched}
        assert (match.policy.name, match.statement.index) in matched


CONDITIONS = list(load("conditions"))


@pytest.mark.parametrize(("_file", "case"), [c[1:] for c in CONDITIONS], ids=[c[0] for c in CONDITIONS])
def test_condition(_file: dict[str, Any], case: dict[str, Any]) -> None:
    """A condition holds or not, and Allow and Deny see the same."""
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": case["condition"]}
    deny = {**allow, "Effect": "Deny"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    request = AccessRequest("s3:GetObject", "*", WHO["alice"], case["context"])
    document = {"Version": case.get("version", "2012-10-17"), "Statement": [allow]}
    flavour = Flavour.IDENTITY
    if "version" in case:  # only policies that name principals may be in the old version of the language
        flavour, allow["Principal"] = Flavour.RESOURCE, "*"
        given = PolicySet(resource=policy(document, flavour, "r"))
    else:
        given = policies({"identity": [[allow]]})
        refused = decide(request, policies({"identity": [[everything, deny]]}))
        assert refused.allowed is not case["matches"]
    assert decide(request, given).allowed is case["matches"]


MALFORMED = list(load("malformed"))


@pytest.mark.parametrize(("_file", "case"), [c[1:] for c in MALFORMED], ids=[c[0] for c in MALFORMED])
def test_malformed(_file: dict[str, Any], case: dict[str, Any]) -> None:
    """What AWS refuses is refused in its words; what it accepts is accepted (`message` null)."""
    flavour = Flavour[case.get("flavour", "identity").upper()]
    text = case["text"] if "text" in case else json.dumps(case["document"])
    if case["message"] is None:
        assert parse(text, flavour).statements
        return
    with pytest.raises(PolicySyntaxError) as refused:
        parse(text, flavour)
    assert str(refused.value) == case["message"]


def test_the_corpus_is_large() -> None:
    """Issue 3 asks for 600; every case has a name of its own in its file."""
    assert len(DECISIONS) + len(CONDITIONS) + len(MALFORMED) >= 600
    names = [name for name, _, _ in (*DECISIONS, *CONDITIONS, *MALFORMED)]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})
