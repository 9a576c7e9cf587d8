"""SAML identity providers.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_saml.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import errors, providers_saml, rules
from cloudjar.services.iam.providers import SamlProvider

_FOREVER = timedelta(days=36500)
"""What AWS shows for documents that do not say how long they hold: a hundred years."""


def _need(ctx: Ctx, req: dict[str, Any]) -> SamlProvider:
    return ctx.db[SamlProvider].need(req["SAMLProviderArn"])


def _refuse_encryption(req: dict[str, Any]) -> None:
    if any(req.get(name) for name in ("AssertionEncryptionMode", "AddPrivateKey", "RemovePrivateKey")):
        raise AwsError("NotImplemented", "iam: Encrypted SAML assertions are not built in Cloudjar.", 501)


def _described(ctx: Ctx, document: str) -> dict[str, Any]:
    """The fields of a record that a metadata document fills."""
    found = providers_saml.read(document)
    if found.valid_until is not None and found.valid_until <= ctx.world.clock.real():
        raise errors.invalid_input("The metadata document is no longer valid")
    return {
        "metadata": document,
        "entity_id": found.entity_id,
        "certificates": found.certificates,
        "valid_until": found.valid_until or ctx.now.replace(microsecond=0) + _FOREVER,
    }


@op("CreateSAMLProvider")
def create_saml_provider(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A provider whose assertions roles of the account may trust."""
    _refuse_encryption(req)
    arn = arns.make("iam", "", ctx.account, f"saml-provider/{req['Name']}")
    if ctx.db[SamlProvider].get(arn) is not None:
        raise errors.already_exists(f"SAMLProvider with name {req['Name']} already exists.")
    provider = SamlProvider(
        arn=arn,
        name=req["Name"],
        id=ids.unique_id("ASPP"),
        created=ctx.now.replace(microsecond=0),
        tags=rules.tags(req.get("Tags") or ()),
        **_described(ctx, req["SAMLMetadataDocument"]),
    )
    ctx.db[SamlProvider].add(provider)
    return {"SAMLProviderArn": arn, "Tags": tags.as_list(provider.tags) or None}


@op("UpdateSAMLProvider")
def update_saml_provider(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another metadata document: other certificates, another validity."""
    _refuse_encryption(req)
    provider = _need(ctx, req)
    if not req.get("SAMLMetadataDocument"):
        raise errors.invalid_input(
            "Unable to update identity provider. No updates are defined for the metadata or encryption assertion."
        )
    ctx.db[SamlProvider].put(replace(provider, **_described(ctx, req["SAMLMetadataDocument"])))
    return {"SAMLProviderArn": provider.arn}


@op("GetSAMLProvider")
def get_saml_provider(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The provider with its document."""
    provider = _need(ctx, req)
    return {
        "SAMLProviderUUID": provider.id,
        "SAMLMetadataDocument": provider.metadata,
        "CreateDate": provider.created,
        "ValidUntil": provider.valid_until,
        "Tags": tags.as_list(provider.tags) or None,
    }


@op("ListSAMLProviders")
def list_saml_providers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's providers."""
    return {
        "SAMLProviderList": [
            {"Arn": provider.arn, "ValidUntil": provider.valid_until, "CreateDate": provider.created}
            for provider in ctx.db[SamlProvider].all()
        ]
    }


@op("DeleteSAMLProvider")
def delete_saml_provider(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a provider; roles go on naming it in vain."""
    ctx.db[SamlProvider].drop(_need(ctx, req))
    return {}


@op("TagSAMLProvider")
def tag_saml_provider(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, in place of those with the same keys."""
    provider = _need(ctx, req)
    ctx.db[SamlProvider].put(replace(provider, tags=rules.tags(req["Tags"], provider.tags)))
    return {}


@op("UntagSAMLProvider")
def untag_saml_provider(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags by key; keys that are not there are passed over."""
    provider = _need(ctx, req)
    ctx.db[SamlProvider].put(replace(provider, tags=rules.without_tags(provider.tags, req["TagKeys"])))
    return {}


@op("ListSAMLProviderTags")
def list_saml_provider_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tags in the order of their keys."""
    return {"Tags": tags.as_list(_need(ctx, req).tags), "IsTruncated": False}
