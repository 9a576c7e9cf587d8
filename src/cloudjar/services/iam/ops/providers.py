"""OpenID Connect providers.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.auth.outside import Outside, UnreachableError
from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import errors, rules
from cloudjar.services.iam import providers_rules as checks
from cloudjar.services.iam.providers import OidcProvider


def _need(ctx: Ctx, req: dict[str, Any]) -> OidcProvider:
    return ctx.db[OidcProvider].need(req["OpenIDConnectProviderArn"])


def look_at_certificate(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """Whom the issuer's certificate leads to, when the request does not say."""
    url = f"https://{checks.issuer(req['Url'])}"
    if req.get("ThumbprintList"):
        return ctx
    outside: Outside = ctx.world.ports["outside"]()
    try:
        return ctx.prepared(outside.thumbprint(url))
    except UnreachableError:
        raise AwsError(
            "OpenIdIdpCommunicationError", f"Could not retrieve the certificate of the identity provider {url}.", 400
        ) from None


@op("CreateOpenIDConnectProvider", prepare=look_at_certificate)
def create_open_id_connect_provider(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An issuer whose tokens roles of the account may trust."""
    url = checks.issuer(req["Url"])
    arn = arns.make("iam", "", ctx.account, f"oidc-provider/{url}")
    if ctx.db[OidcProvider].get(arn) is not None:
        raise errors.already_exists(f"Provider with url https://{url} already exists.")
    provider = OidcProvider(
        arn=arn,
        url=url,
        created=ctx.now.replace(microsecond=0),
        client_ids=checks.client_ids(req.get("ClientIDList") or ()),
        thumbprints=checks.thumbprints(req.get("ThumbprintList") or [ctx.fetched]),
        tags=rules.tags(req.get("Tags") or ()),
    )
    ctx.db[OidcProvider].add(provider)
    return {"OpenIDConnectProviderArn": arn, "Tags": tags.as_list(provider.tags) or None}


@op("GetOpenIDConnectProvider")
def get_open_id_connect_provider(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The provider; its address comes without the scheme."""
    provider = _need(ctx, req)
    return {
        "Url": provider.url,
        "ClientIDList": list(provider.client_ids),
        "ThumbprintList": list(provider.thumbprints),
        "CreateDate": provider.created,
        "Tags": tags.as_list(provider.tags) or None,
    }


@op("ListOpenIDConnectProviders")
def list_open_id_connect_providers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The ARNs of the account's providers."""
    return {"OpenIDConnectProviderList": [{"Arn": provider.arn} for provider in ctx.db[OidcProvider].all()]}


@op("DeleteOpenIDConnectProvider")
def delete_open_id_connect_provider(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a provider; roles go on naming it in vain. One that is not there is no error."""
    found = ctx.db[OidcProvider].get(req["OpenIDConnectProviderArn"])
    if found is not None:
        ctx.db[OidcProvider].drop(found)
    return {}


@op("AddClientIDToOpenIDConnectProvider")
def add_client_id(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One more audience; one that is there already is no error."""
    provider = _need(ctx, req)
    ctx.db[OidcProvider].put(replace(provider, client_ids=checks.client_ids((*provider.client_ids, req["ClientID"]))))
    return {}


@op("RemoveClientIDFromOpenIDConnectProvider")
def remove_client_id(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One audience less; one that is not there is no error."""
    provider = _need(ctx, req)
    left = tuple(client for client in provider.client_ids if client != req["ClientID"])
    ctx.db[OidcProvider].put(replace(provider, client_ids=left))
    return {}


@op("UpdateOpenIDConnectProviderThumbprint")
def update_thumbprint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other thumbprints in place of those there are."""
    provider = _need(ctx, req)
    ctx.db[OidcProvider].put(replace(provider, thumbprints=checks.thumbprints(req["ThumbprintList"])))
    return {}


@op("TagOpenIDConnectProvider")
def tag_provider(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, in place of those with the same keys."""
    provider = _need(ctx, req)
    ctx.db[OidcProvider].put(replace(provider, tags=rules.tags(req["Tags"], provider.tags)))
    return {}


@op("UntagOpenIDConnectProvider")
def untag_provider(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags by key; keys that are not there are passed over."""
    provider = _need(ctx, req)
    ctx.db[OidcProvider].put(replace(provider, tags=rules.without_tags(provider.tags, req["TagKeys"])))
    return {}


@op("ListOpenIDConnectProviderTags")
def list_provider_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tags in the order of their keys."""
    return {"Tags": tags.as_list(_need(ctx, req).tags), "IsTruncated": False}
