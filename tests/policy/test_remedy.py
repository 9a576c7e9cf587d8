"""What `remedy` proposes is what the engine accepts, and what is kept of a decision is told as it was."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from cloudjar.policy import AccessRequest, Flavour, Policy, PolicySet, decide, explain, parse, remedy
from cloudjar.policy.remedy import additions_for
from cloudjar.policy.tell import WIDTH, Told, account, lines, read, written
from tests.policy.test_cases import WHO
from tests.policy.test_properties import POLICIES, REQUESTS

ARN = "arn:aws:s3:::box/key"


def policy(flavour: Flavour, *statements: dict[str, Any], name: str = "p") -> Policy:
    return Policy(parse(json.dumps({"Version": "2012-10-17", "Statement": statements}), flavour), name)


def ask(who: str = "alice", on: str = ARN, owner: str = "111111111111", do: str = "s3:GetObject") -> AccessRequest:
    return AccessRequest(do, on, WHO[who], {}, owner)


@settings(deadline=None, max_examples=300)
@given(REQUESTS, POLICIES)
def test_the_smallest_statements_do_allow_when_added(request: AccessRequest, policies: PolicySet) -> None:
    helps = remedy(request, policies)
    decision = decide(request, policies)
    if decision.allowed:
        assert helps == msgspec.convert({}, type(helps))
        return
    if decision.reason.value == "explicitDeny":
        assert helps.obstacles
        assert not helps.additions
        return
    assert not helps.obstacles
    additions, mended = additions_for(request, policies)
    assert additions == helps.additions
    assert decide(request, mended).allowed


@settings(deadline=None, max_examples=300)
@given(REQUESTS, POLICIES)
def test_no_proposed_statement_is_too_many(request: AccessRequest, policies: PolicySet) -> None:
    """One for each layer that lacks an allow, and none for a layer that has one."""
    layers = [addition.layer for addition in remedy(request, policies).additions]
    assert len(set(layers)) == len(layers)
    verdicts = [(trace.layer, trace.verdict) for trace in explain(request, policies).layers]
    for layer in layers:
        if layer not in (Flavour.RESOURCE, Flavour.TRUST):  # which may allow, but not enough: the account alone
            assert any(verdict == "no allow" for one, verdict in verdicts if one is layer)


@settings(deadline=None, max_examples=200)
@given(REQUESTS, POLICIES)
def test_a_kept_decision_survives_and_says_what_was_decided(request: AccessRequest, policies: PolicySet) -> None:
    decision = decide(request, policies)
    for whole in (True, False):
        one = account(request, policies, whole=whole)
        told = Told("arn:aws:iam::111111111111:user/alice", (one,))
        assert read(written(told)) == told
        assert one.verdict == decision.reason.value
        shown = list(lines(told))
        assert shown[0].startswith("ALLOWED" if decision.allowed else "DENIED")
        assert all(len(line) <= WIDTH for line in shown), [line for line in shown if len(line) > WIDTH]


def test_a_statement_names_the_resource_exactly() -> None:
    """Wildcards in a name are no wildcards in the statement: it allows this object and no other."""
    request = ask(on="arn:aws:s3:::box/a*b?${aws:username}")
    (addition,) = remedy(request, PolicySet()).additions
    assert addition.statement == {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::box/a${*}b${?}${$}{aws:username}",
    }
    allowed = PolicySet(identity=(policy(Flavour.IDENTITY, addition.statement),))
    assert decide(request, allowed).allowed
    assert not decide(ask(on="arn:aws:s3:::box/axbx${aws:username}"), allowed).allowed


def test_a_resource_that_is_not_known_yet_stays_a_wildcard() -> None:
    request = ask(on="arn:aws:ec2:eu-west-3:111111111111:instance/*", do="ec2:RunInstances")
    (addition,) = remedy(request, PolicySet()).additions
    assert addition.statement["Resource"] == "arn:aws:ec2:eu-west-3:111111111111:instance/*"


@pytest.mark.parametrize(
    ("who", "principal"),
    [
        ("alice", {"AWS": "arn:aws:iam::111111111111:user/alice"}),
        ("app", {"AWS": "arn:aws:iam::111111111111:role/team/app"}),
        ("sns", {"Service": "sns.amazonaws.com"}),
        ("google", {"Federated": "accounts.google.com"}),
        ("anyone", "*"),
    ],
)
def test_a_policy_that_names_principals_gets_the_callers_name(who: str, principal: Any) -> None:
    policies = PolicySet(resource_must_allow=True)
    (addition,) = remedy(ask(who), policies).additions
    assert (addition.layer, addition.statement["Principal"]) == (Flavour.RESOURCE, principal)
    assert addition.where == f"the resource-based policy of {ARN}"


def test_across_accounts_both_sides_are_proposed() -> None:
    first, second = remedy(ask("bob"), PolicySet()).additions
    assert (first.layer, second.layer) == (Flavour.RESOURCE, Flavour.IDENTITY)
    assert second.where.startswith("a policy embedded in or attached to arn:aws:iam::222222222222:user/bob")


def test_a_trust_policy_is_proposed_without_a_resource() -> None:
    trusting = policy(Flavour.TRUST, {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                                      "Action": "sts:AssumeRole"})  # fmt: skip
    request = ask(do="sts:AssumeRole", on="arn:aws:iam::111111111111:role/app")
    (addition,) = remedy(request, PolicySet(resource=trusting, resource_must_allow=True)).additions
    assert addition.statement == {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:user/alice"},
        "Action": "sts:AssumeRole",
    }


def test_an_explicit_deny_is_named_and_no_allow_is_proposed() -> None:
    denying = policy(Flavour.SCP, {"Effect": "Allow", "Action": "*", "Resource": "*"},
                     {"Sid": "No", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}, name="guard")  # fmt: skip
    helps = remedy(ask(), PolicySet(scps=((denying,),)))
    assert helps.additions == ()
    assert [(o.layer, o.policy, o.statement) for o in helps.obstacles] == [(Flavour.SCP, "guard", "statement 2 No")]
    text = "\n".join(lines(Told("x", (account(ask(), PolicySet(scps=((denying,),))),))))
    assert "No allow helps: an explicit deny has the last word. In the way\n  service control policy guard" in text


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"scps": ((policy(Flavour.SCP, {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}),),)},
         "No policy inside the account can give what its organization does not."),
        ({"boundary": policy(Flavour.BOUNDARY, {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})},
         "a permissions boundary limits it."),
        ({"session": (policy(Flavour.SESSION, {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}),)},
         "the session was narrowed when it was made."),
    ],
    ids=["scp", "boundary", "session"],
)  # fmt: skip
def test_a_limit_in_the_way_is_said_to_be_one(limit: dict[str, Any], said: str) -> None:
    everything = policy(Flavour.IDENTITY, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    policies = PolicySet(identity=(everything,), **limit)
    (addition,) = remedy(ask(), policies).additions
    assert addition.layer.name.lower() in ("scp", "boundary", "session")
    assert said in " ".join("\n".join(lines(Told("x", (account(ask(), policies),)))).split())


def test_the_statement_that_nearly_allows_is_pointed_out() -> None:
    near = policy(Flavour.IDENTITY, {"Sid": "Dev", "Effect": "Allow", "Action": "s3:*", "Resource": "*",
                  "Condition": {"StringEquals": {"aws:ResourceTag/env": "dev"}}}, name="team")  # fmt: skip
    (found,) = remedy(ask(), PolicySet(identity=(near,))).near
    assert (found.policy, found.statement, found.check.key, found.check.found) == (
        "team", "statement 1 Dev", "aws:resourcetag/env", None,
    )  # fmt: skip


def test_long_policies_are_shown_by_what_is_about_the_action() -> None:
    others = [{"Effect": "Allow", "Action": f"ec2:A{i}", "Resource": "*"} for i in range(30)]
    about = {"Sid": "Mine", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::other"}
    policies = PolicySet(identity=(policy(Flavour.IDENTITY, *others, about),))
    (layer,) = explain(ask(), policies, whole=False).layers
    assert [s.sid for s in layer.policies[0].statements] == ["Mine"]
    assert layer.policies[0].others == 30
    assert "     30 further statements are about other actions" in lines(Told("x", (account(ask(), policies),)))
