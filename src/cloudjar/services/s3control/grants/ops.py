"""Instances, locations and grants.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateAccessGrant.html and its neighbours
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, op
from cloudjar.kit.record import Record, arn_of
from cloudjar.policy.document import PolicySyntaxError, parse
from cloudjar.policy.grammar import Flavour
from cloudjar.services.s3control.grants import rules
from cloudjar.services.s3control.grants.records import (
    DEFAULT,
    EVERYTHING,
    PRINCIPAL,
    AccessGrant,
    GrantsInstance,
    GrantsLocation,
)
from cloudjar.services.s3control.lookup import check_account, find_bucket, invalid_request, not_built

R = TypeVar("R", bound=Record)
Request = dict[str, Any]


def instance_arn(ctx: Ctx, account: str) -> str:
    """The ARN of an account's instance here."""
    return arns.make("s3", ctx.region, account, f"access-grants/{DEFAULT}")


def need_instance(ctx: Ctx, req: Request) -> GrantsInstance:
    """The caller's own instance here."""
    check_account(ctx, req)
    return ctx.db[GrantsInstance].need(DEFAULT)


def page(req: Request, found: Sequence[R], show: Callable[[R], dict[str, Any]], member: str) -> dict[str, Any]:
    """A page of records in the order of their ids; the token is the last of the page before."""
    after = req.get("NextToken") or ""
    rest = [one for one in sorted(found, key=_id) if _id(one) > after]
    here = rest[: req.get("MaxResults") or 1000]
    told: dict[str, Any] = {member: [show(one) for one in here]}
    if len(rest) > len(here):
        told["NextToken"] = _id(here[-1])
    return told


def _id(item: Record) -> str:
    found: str = item.id  # type: ignore[attr-defined]  # all three kinds have one
    return found


# -- the instance
def _shown_instance(item: GrantsInstance) -> dict[str, Any]:
    return {"CreatedAt": item.created, "AccessGrantsInstanceId": item.id, "AccessGrantsInstanceArn": arn_of(item)}


@op("CreateAccessGrantsInstance")
def create_access_grants_instance(ctx: Ctx, req: Request) -> Request:
    """The account's instance in this Region."""
    check_account(ctx, req)
    if req.get("IdentityCenterArn"):
        raise not_built("Access Grants for identities of IAM Identity Center")
    if ctx.db[GrantsInstance].get(DEFAULT) is not None:
        raise AwsError("AccessGrantsInstanceAlreadyExists", "Access Grants Instance already exists", 409)
    made = GrantsInstance(created=ctx.now, tags=tags.from_list(req.get("Tags") or ()))
    return _shown_instance(ctx.db[GrantsInstance].add(made))


@op("GetAccessGrantsInstance")
def get_access_grants_instance(ctx: Ctx, req: Request) -> Request:
    """Since when it is there."""
    return _shown_instance(need_instance(ctx, req))


@op("ListAccessGrantsInstances", pages=False)
def list_access_grants_instances(ctx: Ctx, req: Request) -> Request:
    """The one of this Region, if there is one."""
    check_account(ctx, req)
    return page(req, ctx.db[GrantsInstance].all(), _shown_instance, "AccessGrantsInstancesList")


@op("DeleteAccessGrantsInstance")
def delete_access_grants_instance(ctx: Ctx, req: Request) -> Request:
    """Only when it has no location any more."""
    held = need_instance(ctx, req)
    if ctx.db[GrantsLocation].count():
        raise AwsError(
            "AccessGrantsInstanceNotEmptyError", "Delete the locations of the instance before the instance", 400
        )
    ctx.db[GrantsInstance].drop(held)
    return {}


@op("GetAccessGrantsInstanceForPrefix")
def get_access_grants_instance_for_prefix(ctx: Ctx, req: Request) -> Request:
    """The instance with the location that has a prefix in it."""
    held, target = need_instance(ctx, req), req["S3Prefix"]
    rules.check_scope(target)
    if not any(rules.covers(f"{one.scope.rstrip('*')}*", target) for one in ctx.db[GrantsLocation].all()):
        raise AwsError("AccessGrantsInstanceNotExistsError", "No instance has a location with this prefix", 404)
    return {"AccessGrantsInstanceArn": arn_of(held), "AccessGrantsInstanceId": held.id}


@op("PutAccessGrantsInstanceResourcePolicy")
def put_access_grants_instance_resource_policy(ctx: Ctx, req: Request) -> Request:
    """Whom of other accounts the instance lets in."""
    held = need_instance(ctx, req)
    try:
        parse(req["Policy"], Flavour.RESOURCE)
    except PolicySyntaxError as error:
        raise AwsError("MalformedPolicy", error.message, 400) from None
    changed = replace(
        held, policy=req["Policy"], organization=req.get("Organization") or "", policy_created=ctx.now
    )
    return _shown_policy(ctx.db[GrantsInstance].put(changed))


def _shown_policy(item: GrantsInstance) -> dict[str, Any]:
    return {"Policy": item.policy, "Organization": item.organization or None, "CreatedAt": item.policy_created}


@op("GetAccessGrantsInstanceResourcePolicy")
def get_access_grants_instance_resource_policy(ctx: Ctx, req: Request) -> Request:
    """The policy as it was put."""
    held = need_instance(ctx, req)
    if not held.policy:
        raise AwsError("AccessGrantsInstanceResourcePolicyNotExists", "The instance has no resource policy", 404)
    return _shown_policy(held)


@op("DeleteAccessGrantsInstanceResourcePolicy")
def delete_access_grants_instance_resource_policy(ctx: Ctx, req: Request) -> Request:
    """Nobody of other accounts any more."""
    held = need_instance(ctx, req)
    ctx.db[GrantsInstance].put(replace(held, policy="", organization="", policy_created=None))
    return {}


# -- locations
def _passing(action: str) -> Callable[[Ctx, Request], Iterable[Grant]]:
    def needed(ctx: Ctx, req: Request) -> Iterable[Grant]:
        which = req.get("AccessGrantsLocationId") or "*"
        held = ctx.db[GrantsLocation].get(which)
        scope = held.scope if held is not None else req.get("LocationScope") or ""
        keys = {**tags.in_request(req), **({"s3:accessgrantslocationscope": scope} if scope else {})}
        if held is not None:
            keys |= {f"aws:resourcetag/{name.lower()}": value for name, value in held.tags.items()}
        yield Grant(f"s3:{action}", f"{instance_arn(ctx, ctx.account)}/location/{which}", keys)
        role = req["IAMRoleArn"]
        yield Grant("iam:PassRole", role, {"iam:passedtoservice": PRINCIPAL}, owner=role.split(":")[4])

    return needed


def _shown_location(item: GrantsLocation) -> dict[str, Any]:
    return {
        "CreatedAt": item.created,
        "AccessGrantsLocationId": item.id,
        "AccessGrantsLocationArn": arn_of(item),
        "LocationScope": item.scope,
        "IAMRoleArn": item.role,
    }


@op("CreateAccessGrantsLocation", access=_passing("CreateAccessGrantsLocation"))
def create_access_grants_location(ctx: Ctx, req: Request) -> Request:
    """A place in which grants may lie; the default one is everything."""
    need_instance(ctx, req)
    scope = req["LocationScope"]
    rules.check_scope(scope)
    bucket = find_bucket(ctx, rules.bucket_of(scope)) if scope != EVERYTHING else None
    if scope != EVERYTHING and (bucket is None or bucket.location != ctx.region):
        raise invalid_request("The bucket of the location does not exist in this Region")
    if ctx.db[GrantsLocation].all(scope=scope):
        raise AwsError("AccessGrantsLocationAlreadyExistsError", "The location is registered already", 409)
    made = GrantsLocation(
        id=DEFAULT if scope == EVERYTHING else ids.uuid4(),
        scope=scope,
        role=req["IAMRoleArn"],
        created=ctx.now,
        tags=tags.from_list(req.get("Tags") or ()),
    )
    return _shown_location(ctx.db[GrantsLocation].add(made))


def _need_location(ctx: Ctx, req: Request) -> GrantsLocation:
    need_instance(ctx, req)
    return ctx.db[GrantsLocation].need(req["AccessGrantsLocationId"])


@op("GetAccessGrantsLocation")
def get_access_grants_location(ctx: Ctx, req: Request) -> Request:
    """One of them."""
    return _shown_location(_need_location(ctx, req))


@op("UpdateAccessGrantsLocation", access=_passing("UpdateAccessGrantsLocation"))
def update_access_grants_location(ctx: Ctx, req: Request) -> Request:
    """Another role."""
    held = _need_location(ctx, req)
    return _shown_location(ctx.db[GrantsLocation].put(replace(held, role=req["IAMRoleArn"])))


@op("DeleteAccessGrantsLocation")
def delete_access_grants_location(ctx: Ctx, req: Request) -> Request:
    """Only when no grant lies in it any more."""
    held = _need_location(ctx, req)
    if ctx.db[AccessGrant].all(location=held.id):
        raise AwsError("AccessGrantsLocationNotEmptyError", "Delete the grants of the location before it", 400)
    ctx.db[GrantsLocation].drop(held)
    return {}


@op("ListAccessGrantsLocations", pages=False)
def list_access_grants_locations(ctx: Ctx, req: Request) -> Request:
    """All of them, or the one of a scope."""
    need_instance(ctx, req)
    scope = req.get("LocationScope")
    found = ctx.db[GrantsLocation].all(**({"scope": scope} if scope else {}))
    return page(req, found, _shown_location, "AccessGrantsLocationsList")


# -- grants
def _shown_grant(item: AccessGrant) -> dict[str, Any]:
    told: dict[str, Any] = {
        "CreatedAt": item.created,
        "AccessGrantId": item.id,
        "AccessGrantArn": arn_of(item),
        "Grantee": {"GranteeType": "IAM", "GranteeIdentifier": item.grantee},
        "Permission": item.permission,
        "AccessGrantsLocationId": item.location,
        "GrantScope": item.scope,
    }
    if item.sub_prefix:
        told["AccessGrantsLocationConfiguration"] = {"S3SubPrefix": item.sub_prefix}
    return told


@op("CreateAccessGrant")
def create_access_grant(ctx: Ctx, req: Request) -> Request:
    """Somebody may read, write, or both, below a prefix of a location."""
    location = _need_location(ctx, req)
    who = req["Grantee"]
    if who.get("GranteeType") != "IAM" or req.get("ApplicationArn"):
        raise not_built("A grant for identities of IAM Identity Center")
    named = arns.parse(who.get("GranteeIdentifier") or "")
    if named is None or named.service != "iam" or named.type not in ("user", "role"):
        raise invalid_request("The grantee is not the ARN of an IAM user or role")
    sub_prefix = (req.get("AccessGrantsLocationConfiguration") or {}).get("S3SubPrefix") or ""
    scope = rules.scope_of(location.scope, sub_prefix, an_object=req.get("S3PrefixType") == "Object")
    grant = AccessGrant(
        id=ids.uuid4(),
        location=location.id,
        sub_prefix=sub_prefix,
        scope=scope,
        grantee=str(named),
        permission=req["Permission"],
        created=ctx.now,
        tags=tags.from_list(req.get("Tags") or ()),
    )
    _check_new(ctx, grant)
    return _shown_grant(ctx.db[AccessGrant].add(grant))


def _check_new(ctx: Ctx, grant: AccessGrant) -> None:
    for one in ctx.db[AccessGrant].all(grantee=grant.grantee):
        if (one.scope, one.permission) == (grant.scope, grant.permission):
            raise AwsError("AccessGrantAlreadyExists", "The grant exists already", 409)


@op("GetAccessGrant")
def get_access_grant(ctx: Ctx, req: Request) -> Request:
    """One of them."""
    need_instance(ctx, req)
    return _shown_grant(ctx.db[AccessGrant].need(req["AccessGrantId"]))


@op("DeleteAccessGrant")
def delete_access_grant(ctx: Ctx, req: Request) -> Request:
    """No new credentials by it; those that were given out stay until they expire."""
    need_instance(ctx, req)
    ctx.db[AccessGrant].drop(ctx.db[AccessGrant].need(req["AccessGrantId"]))
    return {}


@op("ListAccessGrants", pages=False)
def list_access_grants(ctx: Ctx, req: Request) -> Request:
    """All of them, or those of a grantee, a permission, a scope."""
    need_instance(ctx, req)
    wanted = {"grantee": req.get("GranteeIdentifier"), "permission": req.get("Permission"),
              "scope": req.get("GrantScope")}  # fmt: skip
    found = [
        one for one in ctx.db[AccessGrant].all()
        if all(value is None or getattr(one, name) == value for name, value in wanted.items())
        and req.get("GranteeType") in (None, "IAM")
    ]  # fmt: skip
    return page(req, found, _shown_grant, "AccessGrantsList")
