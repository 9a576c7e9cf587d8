"""What an identity provider says of somebody, and the role session that he gets for it: the same for tokens and for
SAML responses.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, keys_of_resource
from cloudjar.kit.record import arn_of
from cloudjar.services.sts import errors, rules
from cloudjar.services.sts.access import Role
from cloudjar.services.sts.sessions import credentials, role_session

_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


class Vouched(NamedTuple):
    """What was verified; `keys` are condition keys (lower case) for the trust policy, `lasting` those that hold for
    every call of the session. `limit` is how many seconds the session may last at most, when the provider says."""

    action: str
    role: Role
    arn: str
    name: str
    provider: str
    keys: Mapping[str, Any]
    tags: tuple[dict[str, str], ...] = ()
    transitive: tuple[str, ...] = ()
    source_identity: str = ""
    lasting: Mapping[str, str] = {}
    federated_provider: str = ""
    limit: int | None = None
    answer: Mapping[str, Any] = {}
    """Members of the answer that say whom the provider spoke of."""

    @property
    def request(self) -> dict[str, Any]:
        """What AssumeRole would have in its request."""
        return {"Tags": self.tags, "TransitiveTagKeys": self.transitive}


def account_of(role_arn: str) -> str:
    """The account of the role that is asked for; raises ValidationError."""
    parsed = arns.parse(role_arn)
    if parsed is None or parsed.service != "iam" or parsed.type != "role" or not parsed.account:
        raise errors.validation("Request ARN is invalid")
    return parsed.account


def need_role(ctx: Ctx, arn: str, action: str) -> Role:
    """The role that is asked for; when there is none, the answer is that of one that does not trust."""
    found = ctx.at(account_of(arn), "").find("iam", "role", arn.rpartition("/")[2])
    if found is None or arn_of(found) != arn:
        raise errors.not_vouched(action)
    return cast(Role, found)


def tags_of(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], ...]:
    """Session tags as AssumeRole takes them; raises InvalidIdentityToken for what the model would refuse there."""
    found = tuple({"Key": key, "Value": value} for key, value in pairs)
    if any(not 0 < len(tag["Key"]) <= 128 or len(tag["Value"]) > 256 for tag in found):
        raise errors.invalid_token("Session tag keys have 1 to 128 characters, and values at most 256.")
    return found


def checked_source(text: str) -> str:
    """A source identity; raises InvalidIdentityToken."""
    if text and (not _NAME.fullmatch(text) or text.lower().startswith("aws:")):
        raise errors.invalid_token(
            'Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:" '
        )
    return text


def asked_by(ctx: Ctx, vouched: Vouched, identity: dict[str, Any]) -> Ctx:
    """The call as it goes on: asked by somebody whom the provider vouches for. `identity` is what the audit says."""
    who = Caller(kind="outsider", account=vouched.role.account, arn=vouched.provider)
    after = ctx.prepared(vouched, who)
    after.note(account=vouched.role.account, identity=identity)
    return after


def assuming(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """What the role's trust policy must allow to the provider."""
    vouched: Vouched = ctx.fetched
    role = vouched.role
    session = rules.session_tags(vouched.request, {}, ())
    keys = {
        **keys_of_resource("iam", "role", role),
        **tags.request_keys(session.given),
        **vouched.keys,
        "sts:rolesessionname": vouched.name,
    }
    if vouched.source_identity:
        keys["sts:sourceidentity"] = vouched.source_identity
    if vouched.transitive:
        keys["sts:transitivetagkeys"] = list(vouched.transitive)
    actions = [vouched.action]
    actions += ["sts:TagSession"] if session.given else []
    actions += ["sts:SetSourceIdentity"] if vouched.source_identity else []
    return [Grant(action, vouched.arn, keys, role.trust, role.account, "trust") for action in actions]


def assume(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The answer's members that tokens and SAML responses have in common."""
    vouched: Vouched = ctx.fetched
    rules.refuse_unbuilt(req)
    seconds = rules.role_seconds(req.get("DurationSeconds"), vouched.role.max_session, chained=False, service=False)
    if vouched.limit is not None:
        seconds = min(seconds, vouched.limit)
    narrowed = rules.narrowing({**req, **vouched.request}, vouched.role.account)
    session = replace(
        role_session(
            vouched.role, vouched.arn, vouched.name, rules.session_tags(vouched.request, {}, ()), narrowed
        ),
        source_identity=vouched.source_identity,
        federated_provider=vouched.federated_provider,
        session_keys=dict(vouched.lasting),
    )
    return {
        "Credentials": credentials(ctx, session, seconds),
        "AssumedRoleUser": {"AssumedRoleId": session.unique_id, "Arn": session.arn},
        "PackedPolicySize": narrowed.percent,
        "SourceIdentity": session.source_identity or None,
    }
