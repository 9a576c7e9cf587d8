"""Trust stores: made of bundles in buckets, listed, changed, removed; what they revoke.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import errors, naming, tagging, trusting
from cloudjar.services.elbv2.ops.load_balancers import check_name
from cloudjar.services.elbv2.records import Revocation, TrustStore


@op("CreateTrustStore")
def create_trust_store(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A trust store with the authorities of a bundle."""
    name = check_name("trust store", req["Name"])
    given = tagging.asked(req)
    if ctx.db[TrustStore].all(name=name):
        raise AwsError("DuplicateTrustStoreName", f"A trust store with the specified name '{name}' already exists")
    if ctx.db[TrustStore].count() >= trusting.limit(ctx, "stores"):
        raise AwsError("TooManyTrustStores", "The maximum number of trust stores has been reached.")
    made = trusting.bundle(ctx, req)
    suffix = naming.suffix()
    store = ctx.db[TrustStore].add(TrustStore(
        arn=naming.arn(ctx, f"truststore/{name}/{suffix}"), name=name, suffix=suffix, bundle=made.text,
        count=made.size, tags=given,
    ))  # fmt: skip
    return {"TrustStores": [_shown(store)]}


@op("DescribeTrustStores")
def describe_trust_stores(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Trust stores: all, or by ARN or name."""
    table = ctx.db[TrustStore]
    names, wanted = req.get("Names") or (), req.get("TrustStoreArns") or ()
    if names and wanted:
        raise errors.validation("Trust store names and ARNs cannot be specified at the same time")
    if names:
        by_name = {store.name: store for store in table.all()}
        missing = [name for name in names if name not in by_name]
        if missing:
            raise AwsError("TrustStoreNotFound", f"Trust stores '[{', '.join(missing)}]' not found")
        found = [by_name[name] for name in names]
    else:
        found = [table.need(arn) for arn in wanted] if wanted else table.all()
    return {"TrustStores": [_shown(store) for store in found]}


def _shown(store: TrustStore) -> dict[str, Any]:
    revoked = sum(one.entries for one in store.revocations)
    return {"Name": store.name, "TrustStoreArn": store.arn, "Status": "ACTIVE", "NumberOfCaCertificates": store.count,
            "TotalRevokedEntries": revoked}  # fmt: skip


@op("ModifyTrustStore")
def modify_trust_store(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other authorities; clients of those that are gone are let in no more."""
    store = ctx.db[TrustStore].need(req["TrustStoreArn"])
    made = trusting.bundle(ctx, req)
    store = ctx.db[TrustStore].put(replace(store, bundle=made.text, count=made.size))
    trusting.changed(ctx, store)
    return {"TrustStores": [_shown(store)]}


@op("DeleteTrustStore")
def delete_trust_store(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a trust store that no listener uses."""
    store = ctx.db[TrustStore].need(req["TrustStoreArn"])
    if trusting.users(ctx, store.arn):
        raise AwsError("TrustStoreInUse", f"Trust store '{store.arn}' is currently in use by a listener")
    ctx.db[TrustStore].drop(store)
    return {}


@op("DescribeTrustStoreAssociations")
def describe_trust_store_associations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The load balancers' listeners that use it."""
    store = ctx.db[TrustStore].need(req["TrustStoreArn"])
    return {"TrustStoreAssociations": [{"ResourceArn": one.arn} for one in trusting.users(ctx, store.arn)]}


@op("AddTrustStoreRevocations")
def add_trust_store_revocations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Revocation lists: who is on one is let in no more."""
    store = ctx.db[TrustStore].need(req["TrustStoreArn"])
    given = req.get("RevocationContents") or ()
    if not given:
        raise errors.validation("Revocation contents must be specified")
    first = store.last_revocation + 1
    added = tuple(trusting.revocation(ctx, place, first + n) for n, place in enumerate(given))
    held = (*store.revocations, *added)
    if len(held) > trusting.limit(ctx, "lists"):
        raise errors.validation("The maximum number of revocation lists has been reached for the trust store")
    if sum(one.entries for one in held) > trusting.limit(ctx, "entries"):
        raise AwsError("TooManyTrustStoreRevocationEntries",
                       "The specified trust store has too many revocation entries")  # fmt: skip
    store = ctx.db[TrustStore].put(replace(store, revocations=held, last_revocation=held[-1].id))
    trusting.changed(ctx, store)
    return {"TrustStoreRevocations": [_revocation(store, one) for one in added]}


def _revocation(store: TrustStore, one: Revocation) -> dict[str, Any]:
    return {"TrustStoreArn": store.arn, "RevocationId": one.id, "RevocationType": "CRL",
            "NumberOfRevokedEntries": one.entries}  # fmt: skip


@op("DescribeTrustStoreRevocations")
def describe_trust_store_revocations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Its revocation lists: all, or by id."""
    store = ctx.db[TrustStore].need(req["TrustStoreArn"])
    wanted = _known(store, req.get("RevocationIds") or ())
    shown = [one for one in store.revocations if not wanted or one.id in wanted]
    return {"TrustStoreRevocations": [_revocation(store, one) for one in shown]}


@op("RemoveTrustStoreRevocations")
def remove_trust_store_revocations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget revocation lists."""
    store = ctx.db[TrustStore].need(req["TrustStoreArn"])
    gone = _known(store, req["RevocationIds"])
    kept = tuple(one for one in store.revocations if one.id not in gone)
    trusting.changed(ctx, ctx.db[TrustStore].put(replace(store, revocations=kept)))
    return {}


def _known(store: TrustStore, wanted: Any) -> set[int]:
    held, asked = {one.id for one in store.revocations}, set(wanted)
    if asked - held:
        missing = ", ".join(str(one) for one in sorted(asked - held))
        raise AwsError("RevocationIdNotFound", f"The specified revocation ID does not exist: {missing}")
    return asked


@op("DeleteSharedTrustStoreAssociation")
def delete_shared_trust_store_association(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End another account's use of a shared trust store: nothing can be shared here, so there is none to end."""
    store = ctx.db[TrustStore].need(req["TrustStoreArn"])
    resource = arns.parse(req["ResourceArn"])
    if resource is not None and resource.account == store.account:
        raise AwsError(
            "DeleteAssociationSameAccount", "The specified association can't be within the same account"
        )
    raise AwsError("AssociationNotFound", "The specified association does not exist")


@op("GetResourcePolicy")
def get_resource_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The policy that sharing gives a trust store: nothing can be shared here, so none has one."""
    ctx.db[TrustStore].get(req["ResourceArn"])
    raise AwsError("ResourceNotFound", f"The specified resource does not exist: '{req['ResourceArn']}' has no policy")
