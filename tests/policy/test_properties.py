"""Laws of the policy language that hold for every document, searched for counterexamples."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.policy import (
    AccessRequest,
    Document,
    Flavour,
    Kind,
    Policy,
    PolicySet,
    PolicySyntaxError,
    Principal,
    decide,
    explain,
    parse,
    render,
    simulate,
)
from cloudjar.policy import match as matching

HOME, AWAY = "111111111111", "222222222222"
ACTIONS = ("s3:GetObject", "s3:PutObject", "ec2:RunInstances", "iam:PassRole")
ACTION_PATTERNS = (*ACTIONS, "*", "*:*Object", "s3:*", "s3:Get*", "S3:?utobject", "ec2:*Instances", "iam:*")
RESOURCES = ("arn:aws:s3:::box/key", "arn:aws:s3:::box", "arn:aws:ec2:eu-west-1:111111111111:instance/i-1", "*")
RESOURCE_PATTERNS = (
    *RESOURCES,
    "arn:aws:s3:::box/*",
    "arn:aws:s3:::${aws:username}/*",
    "arn:aws:ec2:*:*:*",
    "arn:aws:s3:::*x*",
)
NAMES = (
    "*",
    HOME,
    AWAY,
    f"arn:aws:iam::{HOME}:user/alice",
    f"arn:aws:iam::{HOME}:role/app",
    f"arn:aws:sts::{HOME}:assumed-role/app/s",
)
CALLERS = (
    Principal(Kind.USER, f"arn:aws:iam::{HOME}:user/alice", HOME, unique_id="AIDAALICEALICEALICE12"),
    Principal(Kind.USER, f"arn:aws:iam::{AWAY}:user/bob", AWAY),
    Principal(Kind.ROOT, f"arn:aws:iam::{HOME}:root", HOME),
    Principal(
        Kind.ROLE_SESSION, f"arn:aws:sts::{HOME}:assumed-role/app/s", HOME, base_arn=f"arn:aws:iam::{HOME}:role/app"
    ),
    Principal(
        Kind.FEDERATED_USER, f"arn:aws:sts::{HOME}:federated-user/g", HOME, base_arn=f"arn:aws:iam::{HOME}:user/alice"
    ),
    Principal(Kind.SERVICE, "sns.amazonaws.com"),
    Principal(Kind.ANONYMOUS),
)


def listed(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3)


CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "StringEquals": st.fixed_dictionaries({"aws:username": listed(("box", "alice"))}),
        "StringNotLikeIfExists": st.fixed_dictionaries({"aws:x": listed(("a*", "?", "${aws:username}"))}),
        "ForAllValues:StringEquals": st.fixed_dictionaries({"aws:TagKeys": listed(("a", "b"))}),
        "ForAnyValue:StringNotEquals": st.fixed_dictionaries({"aws:TagKeys": listed(("a", "b"))}),
        "Null": st.fixed_dictionaries({"aws:x": st.sampled_from(("true", "false"))}),
        "NumericLessThan": st.fixed_dictionaries({"aws:n": listed(("1", "5.5"))}),
    },
)


@st.composite
def statements(
    draw: st.DrawFn, effect: str | None = None, named: bool = False, everyone: bool = False
) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": effect or draw(st.sampled_from(("Allow", "Allow", "Deny")))}
    made[draw(st.sampled_from(("Action", "Action", "Action", "NotAction")))] = draw(listed(ACTION_PATTERNS))
    made[draw(st.sampled_from(("Resource", "Resource", "Resource", "NotResource")))] = draw(listed(RESOURCE_PATTERNS))
    made["Condition"] = draw(st.one_of(st.just({}), st.just({}), CONDITIONS))
    if everyone:
        made["Principal"] = "*"
    elif named:
        made[draw(st.sampled_from(("Principal", "Principal", "NotPrincipal")))] = {"AWS": draw(listed(NAMES))}
    return made


def document(listed_: list[dict[str, Any]], flavour: Flavour) -> Document:
    return parse.__wrapped__(json.dumps({"Version": "2012-10-17", "Statement": listed_}), flavour)


def policy_of(flavour: Flavour, effect: str | None = None) -> st.SearchStrategy[Policy]:
    named = flavour in (Flavour.RESOURCE, Flavour.ENDPOINT)
    some = st.lists(statements(effect, named, flavour is Flavour.RCP), min_size=1, max_size=3)
    return some.map(lambda made: Policy(document(made, flavour), flavour.value))


def group(flavour: Flavour) -> st.SearchStrategy[tuple[Policy, ...]]:
    return st.lists(policy_of(flavour), max_size=2).map(tuple)


POLICIES = st.builds(
    PolicySet,
    identity=st.lists(policy_of(Flavour.IDENTITY), min_size=1, max_size=3).map(tuple),
    boundary=st.none() | policy_of(Flavour.BOUNDARY, "Allow"),
    session=st.none() | group(Flavour.SESSION),
    scps=st.lists(group(Flavour.SCP), max_size=1).map(tuple),
    rcps=st.lists(group(Flavour.RCP), max_size=1).map(tuple),
    grants=st.lists(policy_of(Flavour.RESOURCE, "Allow"), max_size=1).map(tuple),
    resource=st.none() | policy_of(Flavour.RESOURCE),
    endpoint=st.none() | policy_of(Flavour.ENDPOINT, "Allow"),
    resource_must_allow=st.booleans(),
)
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "aws:username": st.sampled_from(("box", "alice", "*")),
        "aws:x": st.sampled_from(("a", "ab", "")),
        "aws:tagkeys": st.lists(st.sampled_from(("a", "b", "c")), max_size=2),
        "aws:n": st.sampled_from(("1", "5", "9", "no")),
    },
)
REQUESTS = st.builds(
    AccessRequest, st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), st.sampled_from(CALLERS), CONTEXTS,
    st.sampled_from((HOME, HOME, AWAY)),
)  # fmt: skip


def without(policies: PolicySet, **changes: Any) -> PolicySet:
    return msgspec.structs.replace(policies, **changes)


@settings(deadline=None)
@given(REQUESTS, POLICIES, policy_of(Flavour.IDENTITY, "Deny"))
def test_a_denying_policy_never_grants(request: AccessRequest, policies: PolicySet, deny: Policy) -> None:
    if decide(request, without(policies, identity=(*policies.identity, deny))).allowed:
        assert decide(request, policies).allowed


@settings(deadline=None)
@given(
    REQUESTS,
    POLICIES,
    policy_of(Flavour.BOUNDARY),
    group(Flavour.SESSION),
    group(Flavour.SCP),
    policy_of(Flavour.ENDPOINT),
)
def test_limits_never_grant(
    request: AccessRequest,
    policies: PolicySet,
    boundary: Policy,
    session: tuple[Policy, ...],
    scps: tuple[Policy, ...],
    endpoint: Policy,
) -> None:
    free = without(policies, boundary=None, session=None, scps=(), endpoint=None)
    allowed = decide(request, free).allowed
    limits = ({"boundary": boundary}, {"session": session}, {"scps": (scps,)}, {"endpoint": endpoint})
    for limit in limits:
        assert allowed or not decide(request, without(free, **limit)).allowed


@settings(deadline=None)
@given(REQUESTS, POLICIES, policy_of(Flavour.IDENTITY, "Allow"))
def test_an_allowing_policy_never_takes_away(request: AccessRequest, policies: PolicySet, allow: Policy) -> None:
    if decide(request, policies).allowed:
        assert decide(request, without(policies, identity=(*policies.identity, allow))).allowed


@settings(deadline=None)
@given(REQUESTS, POLICIES)
def test_order_does_not_matter(request: AccessRequest, policies: PolicySet) -> None:
    turned = without(
        policies,
        identity=policies.identity[::-1],
        session=policies.session and policies.session[::-1],
        scps=tuple(level[::-1] for level in policies.scps[::-1]),
        rcps=tuple(level[::-1] for level in policies.rcps[::-1]),
        grants=policies.grants[::-1],
    )
    before, after = decide(request, policies), decide(request, turned)
    assert (before.reason, before.layer) == (after.reason, after.layer)


@settings(deadline=None)
@given(REQUESTS, POLICIES)
def test_duplicates_do_not_matter(request: AccessRequest, policies: PolicySet) -> None:
    doubled = without(
        policies,
        identity=policies.identity * 2,
        session=policies.session and policies.session * 2,
        scps=tuple(level * 2 for level in policies.scps * 2),
        rcps=tuple(level * 2 for level in policies.rcps * 2),
        grants=policies.grants * 2,
    )
    before, after = decide(request, policies), decide(request, doubled)
    assert (before.reason, before.layer) == (after.reason, after.layer)


@settings(deadline=None)
@given(REQUESTS, POLICIES)
def test_a_limit_of_nothing_limits_nothing(request: AccessRequest, policies: PolicySet) -> None:
    """Limits that allow everything decide as none at all, but for denies that a boundary extends to NotPrincipal."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    free = without(policies, session=None, scps=(), rcps=())
    wide = without(
        free,
        session=(Policy(document([everything], Flavour.SESSION)),),
        scps=((Policy(document([everything], Flavour.SCP)),),) * 3,
        rcps=((Policy(document([{**everything, "Principal": "*"}], Flavour.RCP)),),),
    )
    before, after = decide(request, free), decide(request, wide)
    assert (before.reason, before.layer) == (after.reason, after.layer)


@settings(deadline=None)
@given(REQUESTS, POLICIES)
def test_explaining_decides_as_enforcing_does(request: AccessRequest, policies: PolicySet) -> None:
    for whole in (True, False):
        trace = explain(request, policies, whole=whole)
        assert trace.decision == decide(request, policies)
        for found in trace.decision.matches:
            shown = [layer for layer in trace.layers if layer.layer is found.layer]
            said = {s.index for layer in shown for p in layer.policies for s in p.statements if s.matched}
            assert found.statement.index in said


@settings(deadline=None)
@given(REQUESTS, POLICIES)
def test_an_explicit_deny_has_the_last_word(request: AccessRequest, policies: PolicySet) -> None:
    """Decided against a slow second opinion: the trace, which looks at every statement by itself."""
    trace = explain(request, policies)
    denies = [layer for layer in trace.layers if layer.verdict == "explicit deny"]
    own = request.principal.kind not in (Kind.SERVICE, Kind.ANONYMOUS)
    assert (trace.decision.reason.value == "explicitDeny") == bool(denies), render(trace)
    if trace.decision.allowed:
        must = (Flavour.RCP, Flavour.ENDPOINT, *((Flavour.SCP,) if own else ()))
        assert all(layer.verdict == "allow" for layer in trace.layers if layer.layer in must), render(trace)
        if not own:
            assert any(layer.verdict == "allow" for layer in trace.layers if layer.layer is Flavour.RESOURCE)


@settings(deadline=None)
@given(REQUESTS, POLICIES)
def test_the_simulator_agrees(request: AccessRequest, policies: PolicySet) -> None:
    result = simulate(request, policies)
    assert result.decision == decide(request, policies).reason.value
    for matched in result.matched:
        lines = matched.policy.document.text.split("\n")
        start, end = matched.span
        assert start.line == end.line == 1  # these documents are one line
        source = lines[0][start.column - 1 : end.column - 1]
        assert json.loads(source)["Effect"] == ("Deny" if result.decision == "explicitDeny" else "Allow")


@settings(deadline=None)
@given(st.lists(statements(), min_size=1, max_size=6), st.sampled_from(ACTIONS))
def test_the_index_finds_what_a_scan_finds(made: list[dict[str, Any]], action: str) -> None:
    compiled = document(made, Flavour.IDENTITY)
    found = compiled.candidates(action.lower())
    scanned = [s for s in compiled.statements if s.covers_action(action.lower())]
    assert sorted(s.index for s in (*found.denies, *found.allows)) == [s.index for s in scanned]


PIECES = st.sampled_from(("arn:aws:", "sqs:", "eu:", ":", "*", "?", "a", "ab", "orders-", "1", "${aws:username}", "/"))
SOME_PIECES = st.lists(PIECES, max_size=4).map("".join)
ARN_PATTERNS = st.tuples(SOME_PIECES, SOME_PIECES, SOME_PIECES).map(lambda parts: "arn:aws:sqs:" + ":".join(parts))
ARNS = st.lists(st.sampled_from(("eu", ":", "a", "b", "orders-", "1", "/", "*")), max_size=8).map(
    lambda parts: "arn:aws:sqs:" + "".join(parts)
)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.lists(ARN_PATTERNS, min_size=1, max_size=2), min_size=1, max_size=12), ARNS | st.just("*"))
def test_what_is_passed_over_at_first_sight_would_not_have_applied(patterns: list[list[str]], arn: str) -> None:
    made = [{"Effect": "Allow", "Action": "s3:Get*", "Resource": values} for values in patterns]
    compiled = parse.__wrapped__(
        json.dumps({"Statement": [{**s, "Principal": "*"} for s in made], "Version": "2012-10-17"}), Flavour.RESOURCE
    )
    context = {"aws:username": "ab"}
    _, looked_at = compiled.candidates("s3:getobject").about(arn)
    first = [s.index for s in looked_at if s.needle in arn and s.applies(arn, context)]
    assert first == [s.index for s in compiled.statements if s.applies(arn, context)]


# Globs ---------------------------------------------------------------------------------------------


def like(pattern: str, text: str) -> bool:
    """The textbook table of glob matching, as an oracle."""
    row = [True] + [False] * len(text)
    for sign in pattern:
        before = row
        row = [before[0] and sign == "*"]
        for i, letter in enumerate(text):
            step = before[i] and sign in ("?", letter) and sign != "*"
            row.append(step or (sign == "*" and (before[i + 1] or row[i])))
    return row[-1]


SIGNS = st.text("ab*?.\n", max_size=12)


@settings(max_examples=500, deadline=None)
@given(SIGNS, st.text("ab*.\n", max_size=16))
def test_globs_match_as_the_textbook_says(pattern: str, text: str) -> None:
    test = matching.compile_glob(matching.parse(pattern, wildcards=True, variables=False))
    assert bool(test(text)) == like(pattern, text)


@settings(deadline=None)
@given(SIGNS, st.text("ab.", max_size=16))
def test_variables_change_nothing_where_there_are_none(pattern: str, text: str) -> None:
    plain = matching.parse(pattern, wildcards=True, variables=False)
    filled = matching.fill(matching.parse(pattern + "${aws:v}", wildcards=True, variables=True), {"aws:v": "*"})
    assert filled is not None
    assert bool(matching.compile_glob(filled)(text + "*")) == bool(matching.compile_glob(plain)(text))


def test_hostile_patterns_are_cheap() -> None:
    """Thirty stars against a long near miss: exponential or cubic matchers do not come back from this."""
    pattern = matching.parse("a*" * 30 + "b", wildcards=True, variables=False)
    assert not matching.compile_glob(pattern)("a" * 20_000)


# Garbage -------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(ACTIONS + NAMES),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ("Version", "Statement", "Effect", "Action", "NotAction", "Resource", "Principal", "NotPrincipal",
             "Condition", "Sid", "Id", "AWS", "Service", "StringEquals", "DateLessThan", "aws:x")
        ) | st.text(max_size=4),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip
FLAVOURS = st.sampled_from(list(Flavour))


def parses_or_refuses(text: str, flavour: Flavour) -> None:
    try:
        made = parse.__wrapped__(text, flavour)
    except PolicySyntaxError:
        return
    assert made.statements


@settings(deadline=None)
@given(st.text(max_size=60), FLAVOURS)
def test_text_never_crashes_the_parser(text: str, flavour: Flavour) -> None:
    parses_or_refuses(text, flavour)


@settings(deadline=None)
@given(JSON, FLAVOURS)
def test_json_never_crashes_the_parser(value: Any, flavour: Flavour) -> None:
    parses_or_refuses(json.dumps(value), flavour)


ELEMENTS = st.one_of(JSON, listed(RESOURCE_PATTERNS), listed(ACTION_PATTERNS), CONDITIONS)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            (
                "Effect",
                "Action",
                "NotAction",
                "Resource",
                "NotResource",
                "Principal",
                "NotPrincipal",
                "Condition",
                "Sid",
            )
        ),
        ELEMENTS | st.sampled_from(("Allow", "Deny", "*", {"AWS": "*"})),
    ),
    FLAVOURS,
)
def test_near_misses_never_crash_the_parser(statement: dict[str, Any], flavour: Flavour) -> None:
    parses_or_refuses(json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}}), flavour)


def test_depth_and_size_are_refused_not_suffered() -> None:
    for text in ("[" * 100_000, '{"Statement":' * 50_000, '{"Version":' + "9" * 10_000 + "}", "\ud800", "\x00"):
        for flavour in Flavour:
            parses_or_refuses(text, flavour)
