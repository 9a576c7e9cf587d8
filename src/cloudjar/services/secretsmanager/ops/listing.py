"""Lists of secrets and of versions.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cloudjar.kit import pages
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.secretsmanager import filters, lookup, views
from cloudjar.services.secretsmanager.access import asked
from cloudjar.services.secretsmanager.records import Secret
from cloudjar.spec.models import Paginator

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ORDERS: dict[str, Callable[[Secret], Any]] = {
    "created-date": lambda secret: secret.created,
    "last-accessed-date": lambda secret: secret.accessed or _NEVER,
    "last-changed-date": lambda secret: secret.changed,
    "name": lambda secret: secret.name,
}
_VERSIONS = Paginator(("NextToken",), ("NextToken",), "MaxResults", ("Versions",), "")
_MOST = 100


@op("ListSecrets", pages=False)
def list_secrets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The secrets of the account here, those that wait to be deleted only when asked for."""
    filters.check(req.get("Filters") or ())
    found = [
        secret
        for secret in ctx.db[Secret].all()
        if (secret.deleted is None or req.get("IncludePlannedDeletion"))
        and filters.admits(req.get("Filters") or (), secret)
    ]
    order = _ORDERS[req.get("SortBy") or "created-date"]
    found.sort(key=order, reverse=req.get("SortOrder") == "desc")
    asked_for = {**req, "MaxResults": req.get("MaxResults") or _MOST}
    cut = pages.cut(_SECRETS, "secretsmanager", "ListSecrets", asked_for, {"SecretList": found})
    cut["SecretList"] = [_entry(ctx, secret) for secret in cut["SecretList"]]
    return cut


_SECRETS = Paginator(("NextToken",), ("NextToken",), "MaxResults", ("SecretList",), "")


def _entry(ctx: Ctx, secret: Secret) -> dict[str, Any]:
    return {**views.show_secret(secret), "SecretVersionsToStages": views.labelled(lookup.stages(ctx, secret))}


@op("ListSecretVersionIds", keys=asked)
def list_secret_version_ids(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The versions that have a value; those without labels only when asked for."""
    secret = lookup.need(ctx, req["SecretId"], deleted=True)
    found = [
        views.show_version(version)
        for version in lookup.versions(ctx, secret)
        if version.envelope is not None and (version.stages or req.get("IncludeDeprecated"))
    ]
    asked_for = {**req, "MaxResults": req.get("MaxResults") or _MOST}
    return pages.cut(
        _VERSIONS, "secretsmanager", "ListSecretVersionIds", asked_for, views.show_id(secret, Versions=found)
    )
