"""Traces, positions and messages: what a person and the simulator are told."""

from __future__ import annotations

import json

import pytest

from cloudjar.policy import (
    AccessRequest,
    Flavour,
    Kind,
    Policy,
    PolicySet,
    Principal,
    access_denied,
    context_keys,
    decide,
    explain,
    parse,
    render,
    simulate,
)

ALICE = Principal(Kind.USER, "arn:aws:iam::111111111111:user/alice", "111111111111")
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Own", "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::box/${aws:username}/*"},
        {
            "Sid": "Late",
            "Effect": "Deny",
            "Action": "s3:Put*",
            "Resource": "*",
            "Condition": {"Bool": {"svc:Frozen": "true"}},
        },
        {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},
    ],
}
POLICY = Policy(parse(json.dumps(DOCUMENT, indent=2)), "storage", "arn:aws:iam::111111111111:policy/storage")


def put(key: str = "alice/x", **context: str) -> AccessRequest:
    return AccessRequest("s3:PutObject", f"arn:aws:s3:::box/{key}", ALICE, {"aws:username": "alice", **context})


def test_a_trace_names_every_statement_and_where_it_failed() -> None:
    trace = explain(put("bob/x"), PolicySet(identity=(POLICY,)))
    first, second, third = trace.layers[0].policies[0].statements
    assert (first.matched, first.failed_on) == (False, "Resource")
    assert (second.failed_on, second.detail) == ("Condition", "Bool svc:frozen [true]: the request has no such key")
    assert (third.failed_on, third.detail) == ("NotAction", "s3:PutObject against s3:*")
    assert trace.keys == {"aws:username": "alice"}
    assert trace.missing == ("svc:frozen",)


def test_a_trace_reads_well() -> None:
    request = put(**{"svc:frozen": "true"})
    assert render(explain(request, PolicySet(identity=(POLICY,)))).splitlines() == [
        "DENIED  s3:PutObject",
        "  on  arn:aws:s3:::box/alice/x",
        "  to  arn:aws:iam::111111111111:user/alice",
        "  with an explicit deny in an identity-based policy",
        "  decided by identity-based policy arn:aws:iam::111111111111:policy/storage, statement 2 Late",
        "",
        "1. identity-based policy: explicit deny",
        "   storage (arn:aws:iam::111111111111:policy/storage)",
        "     statement 1 Own  Allow  matches",
        "     statement 2 Late  Deny  matches",
        "       holds  Condition Bool svc:frozen [true]: the key is true",
        "     statement 3  Allow  does not match",
        "       fails  NotAction lists s3:PutObject: s3:*",
        "",
        "Condition keys that the statements ask for",
        "  aws:username  alice",
        "  svc:frozen    true",
    ]


def test_the_deciding_statement_is_named() -> None:
    decision = decide(put(), PolicySet(identity=(POLICY,)))
    assert [(m.policy.name, m.statement.sid, m.statement.index) for m in decision.matches] == [("storage", "Own", 0)]


def test_messages_can_be_plain_or_quoted() -> None:
    request = put("bob/x")
    decision = decide(request, PolicySet())
    start = "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: s3:PutObject on resource: "
    assert access_denied(request, decision, enhanced=False) == start + "arn:aws:s3:::box/bob/x"
    assert access_denied(request, decision, quoted=True).startswith(start + '"arn:aws:s3:::box/bob/x" because no ')


def test_an_allowed_request_has_no_message() -> None:
    with pytest.raises(ValueError, match="allowed"):
        access_denied(put(), decide(put(), PolicySet(identity=(POLICY,))))


def test_positions_survive_strings_that_look_like_structure() -> None:
    text = (
        '{"Version":"2012-10-17",\n "Id":"{\\"Statement\\":[{",\n "Statement":[\n'
        '  {"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"},\n'
        '  {"Sid":"B","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::}]"}]}'
    )
    document = parse(text)
    lines = text.split("\n")
    for statement, line in zip(document.statements, (4, 5), strict=True):
        start, end = document.span(statement)
        assert start.line == end.line == line
        assert json.loads(lines[line - 1][start.column - 1 : end.column - 1])["Sid"] == statement.sid


def test_a_single_statement_has_a_position() -> None:
    text = (
        '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Null":{"a":"true"}}},'
        '"Version":"2012-10-17"}'
    )
    (span,) = [parse(text).span(s) for s in parse(text).statements]
    assert (span.start.column, text[span.end.column - 1 :]) == (14, ',"Version":"2012-10-17"}')


def test_the_simulator_lists_what_matched_and_what_was_missing() -> None:
    result = simulate(put(), PolicySet(identity=(POLICY,)))
    assert (result.decision, [m.sid for m in result.matched]) == ("allowed", ["Own"])
    assert result.missing == ("svc:frozen",)
    assert (result.allowed_by_boundary, result.allowed_by_organizations) == (None, None)
    denied = simulate(put(**{"svc:frozen": "true"}), PolicySet(identity=(POLICY,)))
    assert (denied.decision, [m.sid for m in denied.matched]) == ("explicitDeny", ["Late"])


def test_the_simulator_says_what_boundary_and_organization_say() -> None:
    fence = Policy(
        parse(
            '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}', Flavour.BOUNDARY
        )
    )
    scp = Policy(
        parse('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', Flavour.SCP)
    )
    result = simulate(put(), PolicySet(identity=(POLICY,), boundary=fence, scps=((scp,),)))
    assert (result.decision, result.allowed_by_boundary, result.allowed_by_organizations) == (
        "implicitDeny",
        False,
        True,
    )


def test_limits_are_not_listed_as_granting() -> None:
    text = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
    result = simulate(put(), PolicySet(identity=(POLICY,), boundary=Policy(parse(text, Flavour.BOUNDARY))))
    assert (result.allowed_by_boundary, [m.layer for m in result.matched]) == (True, [Flavour.IDENTITY])


def test_context_keys_are_those_of_conditions_and_variables() -> None:
    assert context_keys([POLICY.document]) == ("aws:username", "svc:frozen")


def test_a_document_compiles_once() -> None:
    text = json.dumps(DOCUMENT)
    assert parse(text) is parse(text)
    assert parse(text) is not parse(text, Flavour.BOUNDARY)


def test_a_lazy_context_is_asked_only_for_what_policies_need() -> None:
    asked: list[str] = []

    class Lazy(dict[str, str]):
        def get(self, key: str, default: object = None) -> object:  # type: ignore[override]  # records the question
            asked.append(key)
            return super().get(key, default)

    request = AccessRequest("ec2:RunInstances", "*", ALICE, Lazy())
    assert decide(request, PolicySet(identity=(POLICY,))).allowed
    assert asked == []
