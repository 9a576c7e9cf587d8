"""Every operation of every service, asked for by who may do exactly that, almost that, or anything but that.

What is exactly needed is what `cloudjar why` proposes for the refused call, question by question, so this also proves
that its proposals are right: on a real socket, for every operation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cloudjar.auth.presign import Credentials
from cloudjar.kit.audit import AuditEvent
from cloudjar.policy import tell
from cloudjar.policy.grammar import Flavour
from cloudjar.policy.remedy import Addition
from cloudjar.spec import iam
from tests.calls import Answer, Line, read, signed, write
from tests.jar import ACCOUNT, TestJar, running
from tests.laws import scenes_s3
from tests.laws.built import operations
from tests.laws.scenes import SCENES, Things
from tests.laws.test_access import FOR_ALL, ONE_BY_ONE, UNSIGNED_BY_DESIGN, params

RATCHET = Path(__file__).with_name("ratchet.json")
REFUSALS = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403")
"""An answer to HEAD has no body, and so no code but its status."""
UNKNOWN = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
STEPS = 16
"""No request asks more questions than this."""
Statement = dict[str, Any]


class Arena:
    """A jar in which everything may be tried, and a user whose one policy is written anew for every try."""

    def __init__(self, jar: TestJar) -> None:
        self.jar = jar
        self.line = Line(jar.port)
        self.iam = jar.client("iam")
        self.nobody = self.user("nobody")
        self.exact = self.user("exact")
        self.expired = self.token_that_expired()
        self.iam.create_role(RoleName="nobody", AssumeRolePolicyDocument=trusting(ACCOUNT))
        self.things = Things(jar)
        scenes_s3.bucket(jar)
        self.asked: dict[tuple[str, str], dict[str, Any]] = {}

    def user(self, name: str) -> Credentials:
        """A new user without any policy."""
        self.iam.create_user(UserName=name)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def token_that_expired(self) -> Credentials:
        """What root's session token is after its hour."""
        got = self.jar.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
        self.jar.advance(hours=2)
        return Credentials(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    def may(self, *statements: Statement) -> None:
        """Give the user this policy and no other."""
        text = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.iam.put_user_policy(UserName="exact", PolicyName="exact", PolicyDocument=text)

    def ask(self, service: str, operation: str, who: Credentials) -> Answer:
        """One call, the same whenever it is asked for."""
        asked = self.asked.get((service, operation))
        if asked is None:
            scene = SCENES.get(f"{service}:{operation}")
            more = {} if scene is None else scene(self.things)
            asked = self.asked[service, operation] = {**params(service, operation), **more}
        return self.line.send(signed(write(service, operation, asked), service, who))

    def code(self, service: str, operation: str, who: Credentials) -> str:
        """The error code of a call; empty when it succeeds."""
        answer = self.ask(service, operation, who)
        return str(read(service, operation, answer).get("Error", {}).get("Code", ""))

    def lacking(self, service: str, operation: str, who: Credentials) -> tuple[Addition, ...] | None:
        """What `why` says a refused call lacks; None when authorisation did not refuse it."""
        answer = self.ask(service, operation, who)
        code = read(service, operation, answer).get("Error", {}).get("Code", "")
        if code not in REFUSALS:
            return None
        told = tell.read(self.event(answer).decision)
        if told is None:
            return ()
        if all(account.verdict == "allowed" for account in told.accounts):
            return None  # allowed, and then refused for what it asks for: no permission would help
        helps = told.accounts[-1].remedy
        return () if helps is None else helps.additions

    def event(self, answer: Answer) -> AuditEvent:
        """The audit event of a call."""
        request_id = next(answer.headers[n] for n in ("x-amzn-requestid", "x-amz-request-id") if n in answer.headers)
        found = self.jar.jar.audit.by_request(request_id)
        assert found is not None, answer
        return found


def trusting(account: str) -> str:
    """A trust policy that leaves it to the account's own policies."""
    statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """A jar of its own: calls that are allowed do what they say."""
    with running(tmp_path_factory.mktemp("arena")) as jar:
        made = Arena(jar)
        yield made
        made.line.close()


def asked() -> Iterator[tuple[str, str]]:
    """(service, operation) of all that need a permission."""
    for service, operation, _ in operations():
        if (service, operation.name) not in FOR_ALL | UNSIGNED_BY_DESIGN | ONE_BY_ONE:
            yield service, operation.name


SIGNATURES = {
    "unknown": ("InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "InvalidAccessKeyId", "403"),
    "wrong secret": ("SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "403"),
    "expired": ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "400"),
}


def test_every_operation_is_refused_to_keys_that_are_none(arena: Arena) -> None:
    wrong = arena.nobody._replace(secret=UNKNOWN.secret)
    for service, operation, _ in operations():
        for name, who in (("unknown", UNKNOWN), ("wrong secret", wrong), ("expired", arena.expired)):
            request = write(service, operation.name, params(service, operation.name))
            answer = arena.line.send(signed(request, service, who))
            code = read(service, operation.name, answer).get("Error", {}).get("Code", "")
            assert code in SIGNATURES[name], (service, operation.name, name, code)


class Needs(NamedTuple):
    """What it took for an operation to be allowed; `complete` when every part of it is exact."""

    statements: tuple[Statement, ...]
    complete: bool


def needs(arena: Arena, service: str, operation: str) -> Needs:
    """Add what `why` proposes until authorisation lets the call through."""
    statements: list[Statement] = []
    arena.may({"Effect": "Allow", "Action": "none:Nothing", "Resource": "*"})
    for _ in range(STEPS):
        additions = arena.lacking(service, operation, arena.exact)
        if additions is None:
            exact = all(is_exact(service, operation, statement) for statement in statements)
            return Needs(tuple(statements), exact and bool(statements))
        if not additions or any(a.layer is not Flavour.IDENTITY for a in additions):
            return Needs(tuple(statements), False)
        statements += [addition.statement for addition in additions]
        arena.may(*statements)
    raise AssertionError(f"{service}:{operation} asks for more and more: {statements}")


MAKERS = (
    "Create", "Allocate", "Run", "Copy", "Register", "RequestSpot", "ImportSnapshot", "ImportImage", "ExportImage",
    "StartNetworkInsights", "StartExperiment",
)  # fmt: skip


UNNAMED = {"dataset"}
"""Types of resources that the reference has for actions whose requests cannot name them."""
ABSENT = {"tenant", "billingview"}
"""Types of which there is no thing yet: a request that may name one is asked for without."""


def unnamed(service: str, operation: str, action: str) -> set[str]:
    """The types of resources of an action that a request for an operation is right not to name."""
    entries = [entry for entry in iam.authorization(service, operation) if entry.action == action]
    optional = {one.type for entry in entries for one in entry.resources if not one.required}
    return UNNAMED | (optional & ABSENT)


NAMELESS = ("/*", "db-proxy-endpoint:*", ":deployment:*")
"""How ARNs end of what is yet to be made and gets its name then."""
LISTS = ("DescribeBudgets", "DescribeBudgetNotificationsForAccount")
"""Operations that are allowed on all things of a type at once."""


def is_exact(service: str, operation: str, statement: Statement) -> bool:
    """Whether a statement names one thing, or a thing that is yet to be made and has no name; an action that the
    reference knows on no thing is exact with ``*``."""
    resource, action = statement["Resource"], statement["Action"]
    if resource == "*":
        try:
            return {one.type for one in iam.action(action).resources} <= unnamed(service, operation, action)
        except iam.UnknownAction:
            return True
    # Auto Scaling's ARNs hold an id before the name: ``autoScalingGroup:*:autoScalingGroupName/web``.
    nameless = resource.endswith(NAMELESS) or ":*:" in resource
    return "*" not in resource or (nameless and operation.startswith((*MAKERS, *LISTS)))


def sibling(statement: Statement) -> Statement:
    """The same on the thing next door: another name, or for what has none yet another partition."""
    resource = statement["Resource"]
    service = statement["Action"].partition(":")[0]
    if resource == "*":
        near = f"arn:aws:{service}::{ACCOUNT}:user/sibling"
    elif resource.endswith(NAMELESS):
        near = resource.replace("arn:aws:", "arn:aws-cn:", 1)
    else:
        near = resource + "-sibling"
    return {**statement, "Resource": near}


def uncovered(arena: Arena) -> list[str]:
    """The operations whose needs could not be tried exactly; asserts the law for all the others."""
    left = []
    for service, operation in asked():
        found = needs(arena, service, operation)
        if not found.complete:
            left.append(f"{service}:{operation}")
        for statement in found.statements:
            others = [s for s in found.statements if s is not statement]
            arena.may(*others, sibling(statement))
            code = arena.code(service, operation, arena.exact)
            assert code in REFUSALS, (service, operation, "on a sibling", statement, code)
        denied = found.statements[0]["Action"] if found.statements else f"{iam.prefix_of(service)}:*"
        arena.may(ANYTHING, {"Effect": "Deny", "Action": denied, "Resource": "*"})
        answer = arena.ask(service, operation, arena.exact)
        if operation.startswith("Head"):
            assert answer.status == 403, (service, operation, answer)
            continue
        assert b"explicit deny in an identity-based policy" in answer.body, (service, operation, answer)
    return left


ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def test_every_operation_needs_exactly_what_it_says(arena: Arena) -> None:
    """Allowed with exactly that, refused with the same on a sibling, refused with everything but that.

    What cannot be tried exactly yet is in `ratchet.json`; the list may only shrink.
    """
    known = set(json.loads(RATCHET.read_text())["inexact_access"])
    left = set(uncovered(arena))
    assert left - known == set(), "a request for it must name the thing it is about (tests/calls.py, the table)"
    assert known - left == set(), f"these are exact by now: take them out of {RATCHET.name}"
