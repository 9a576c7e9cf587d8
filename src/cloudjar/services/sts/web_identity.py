"""AssumeRoleWithWebIdentity: a role for whoever an OpenID Connect provider vouches for.

The token is verified with the keys that the issuer publishes. Its dates are the issuer's, and so is the clock that
they are held against (`docs/decisions/clocks-of-others.md`).

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, cast

import msgspec

from cloudjar.auth.outside import Outside, UnreachableError, UntrustedError
from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sts import claims as claim_rules
from cloudjar.services.sts import errors, jwt
from cloudjar.services.sts.vouched import Vouched, account_of, asked_by, assume, assuming, checked_source, need_role

ACTION = "sts:AssumeRoleWithWebIdentity"
_KEPT = 300.0
"""Seconds for which an issuer's documents are believed without asking again."""
_FRESH = 10.0
"""An issuer that changed its keys is asked again for one that is not known, but not more often than this."""


class Provider(Protocol):
    """What STS reads of IAM's record of an issuer."""

    arn: str
    url: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]


def vouch(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """Verify the token; blocks while the issuer is asked for its keys."""
    if req.get("ProviderId"):
        raise AwsError(
            "NotImplemented",
            "sts:AssumeRoleWithWebIdentity takes tokens of OpenID Connect. Access tokens of OAuth 2.0 (ProviderId) are "
            "not built in Cloudjar.",
            501,
        )
    account = account_of(req["RoleArn"])
    ctx.note(account=account)
    token = _read(req["WebIdentityToken"])
    provider = _provider(ctx, account, token.claims)
    audience = claim_rules.audience(token.claims, provider.client_ids)
    _verify(ctx, provider, token)
    claim_rules.check_dates(token.claims, ctx.world.clock.real())
    subject = claim_rules.text(token.claims, "sub")
    vouched = Vouched(
        action=ACTION,
        role=need_role(ctx, req["RoleArn"], ACTION),
        arn=req["RoleArn"],
        name=req["RoleSessionName"],
        provider=provider.arn,
        keys=claim_rules.condition_keys(provider.url, token.claims, audience),
        tags=claim_rules.session_tags(token.claims),
        transitive=claim_rules.transitive_keys(token.claims),
        source_identity=checked_source(claim_rules.source_identity(token.claims)),
        federated_provider=provider.arn,
        answer={"SubjectFromWebIdentityToken": subject, "Audience": audience, "Provider": provider.arn},
    )
    return asked_by(
        ctx,
        vouched,
        {
            "type": "WebIdentityUser",
            "principalId": f"{provider.arn}:{audience}:{subject}",
            "userName": subject,
            "identityProvider": provider.arn,
        },
    )


def _read(text: str) -> jwt.Token:
    try:
        return jwt.read(text)
    except jwt.NotATokenError:
        raise errors.invalid_token(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
        ) from None


def _provider(ctx: Ctx, account: str, claims: Mapping[str, Any]) -> Provider:
    """The account's record of the issuer that the token names."""
    issuer = claim_rules.text(claims, "iss")
    arn = arns.make("iam", "", account, f"oidc-provider/{issuer.removeprefix('https://')}")
    found = ctx.at(account, "").find("iam", "oidc-provider", arn)
    if found is None:
        raise errors.invalid_token(f"No OpenIDConnect provider found in your account for {issuer}")
    return cast(Provider, found)


class _Discovery(NamedTuple):
    issuer: str
    keys: str


def _verify(ctx: Ctx, provider: Provider, token: jwt.Token) -> None:
    """Raises unless the token's signature is the issuer's."""
    for max_age in (_KEPT, _FRESH):
        key = jwt.key_for(token, _keys(ctx, provider, max_age))
        if key is not None:
            if not jwt.verified(token, key):
                raise errors.invalid_token("Provided token signature is invalid")
            return
    raise _no_key()


def _no_key() -> AwsError:
    return errors.invalid_token(
        "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "
        "documentation for requirements"
    )


def _keys(ctx: Ctx, provider: Provider, max_age: float) -> list[Any]:
    """The issuer's keys (JWKs) as it publishes them."""
    found = _discovered(ctx, provider, max_age)
    document = _document(ctx, provider, found.keys, max_age)
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise _no_key()
    return keys


def _discovered(ctx: Ctx, provider: Provider, max_age: float) -> _Discovery:
    url = f"https://{provider.url}"
    document = _document(ctx, provider, f"{url.rstrip('/')}/.well-known/openid-configuration", max_age)
    issuer, keys = document.get("issuer"), document.get("jwks_uri")
    # An issuer speaks for itself alone: whoever shares its host may not publish keys in its name.
    if not isinstance(issuer, str) or issuer.removeprefix("https://") != provider.url or not isinstance(keys, str):
        raise _no_key()
    return _Discovery(issuer, keys)


def _document(ctx: Ctx, provider: Provider, url: str, max_age: float) -> dict[str, Any]:
    outside: Outside = ctx.world.ports["outside"]()
    try:
        found = msgspec.json.decode(outside.get(url, provider.thumbprints, max_age))
    except UntrustedError:
        raise errors.invalid_token(
            "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"
        ) from None
    except UnreachableError:
        raise AwsError(
            "IDPCommunicationError",
            "The identity provider that was asked to verify the incoming identity token could not be reached",
            400,
        ) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise _no_key() from None
    if not isinstance(found, dict):
        raise _no_key()
    return found


@op("AssumeRoleWithWebIdentity", writes=False, access=assuming, prepare=vouch)
def assume_role_with_web_identity(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Credentials of a role for somebody with a token of a provider that the role trusts."""
    vouched: Vouched = ctx.fetched
    return {**assume(ctx, req), **vouched.answer}
