"""AssumeRoleWithSAML: a role for whoever a SAML identity provider vouches for.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from datetime import datetime
from typing import Any, Protocol, cast

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sts import assertion, errors, saml_rules
from cloudjar.services.sts.vouched import (
    Vouched,
    account_of,
    asked_by,
    assume,
    assuming,
    checked_source,
    need_role,
    tags_of,
)

ACTION = "sts:AssumeRoleWithSAML"


class Provider(Protocol):
    """What STS reads of IAM's record of a provider."""

    arn: str
    name: str
    id: str
    entity_id: str
    certificates: tuple[bytes, ...]
    valid_until: datetime


def vouch(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """Verify the response: on a thread of its own, since reading strangers' XML takes its time."""
    account = account_of(req["RoleArn"])
    ctx.note(account=account)
    real = ctx.world.clock.real()
    provider = _provider(ctx, account, req["PrincipalArn"])
    said = _read(req["SAMLAssertion"], provider, real)
    qualifier = saml_rules.name_qualifier(said.issuer, account, provider.name)
    if not saml_rules.grants(said, req["RoleArn"], provider.arn):
        raise errors.not_vouched(ACTION)
    lasting = saml_rules.lasting_keys(said, qualifier)
    vouched = Vouched(
        action=ACTION,
        role=need_role(ctx, req["RoleArn"], ACTION),
        arn=req["RoleArn"],
        name=saml_rules.session_name(said),
        provider=provider.arn,
        keys={**saml_rules.condition_keys(said, account, provider.name), **lasting},
        tags=tags_of(saml_rules.tags(said)),
        transitive=saml_rules.transitive_keys(said),
        source_identity=checked_source(saml_rules.source_identity(said)),
        lasting=lasting,
        limit=saml_rules.longest(said, real),
        answer={
            "Subject": said.subject,
            "SubjectType": saml_rules.subject_type(said),
            "Issuer": said.issuer,
            "Audience": said.recipient,
            "NameQualifier": qualifier,
        },
    )
    return asked_by(
        ctx,
        vouched,
        {
            "type": "SAMLUser",
            "principalId": f"{qualifier}:{said.subject}",
            "userName": said.subject,
            "identityProvider": qualifier,
        },
    )


def _provider(ctx: Ctx, account: str, arn: str) -> Provider:
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "iam" or parsed.type != "saml-provider":
        raise errors.validation("Request ARN is invalid")
    found = ctx.at(account, "").find("iam", "saml-provider", arn) if parsed.account == account else None
    if found is None:
        raise errors.invalid_token("Specified provider doesn't exist")
    return cast(Provider, found)


def _read(text: str, provider: Provider, real: datetime) -> assertion.Assertion:
    try:
        response = b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise errors.invalid_token("Invalid base64 SAMLResponse") from None
    try:
        said = assertion.read(response, provider.certificates)
    except assertion.ResponseError:
        raise errors.invalid_token("Invalid SAML response") from None
    except assertion.SignatureError:
        raise errors.invalid_token("Response signature invalid") from None
    if provider.valid_until <= real:
        raise errors.invalid_token("The metadata document of the specified provider is no longer valid")
    saml_rules.check(said, provider.entity_id, provider.id, real)
    return said


@op("AssumeRoleWithSAML", writes=False, access=assuming, prepare=vouch)
def assume_role_with_saml(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Credentials of a role for somebody with a response of a provider that the role trusts."""
    vouched: Vouched = ctx.fetched
    return {**assume(ctx, req), **vouched.answer}
