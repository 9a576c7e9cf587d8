"""Delivery streams: made, described, changed, ended.

https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import arrivals
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.firehose import buffering, errors, life, settings
from cloudjar.services.firehose.access import passing_roles
from cloudjar.services.firehose.ops.encryption import wanted
from cloudjar.services.firehose.ops.tagging import checked
from cloudjar.services.firehose.records import ACTIVE, DELETING, DIRECT, HTTP, KINESIS, S3, Delivery
from cloudjar.services.firehose.rows import rows

_DESTINATION = "destinationId-000000000001"
_EXTENDED = frozenset(
    ("S3BackupMode", "CustomTimeZone", "ProcessingConfiguration", "FileExtension", "S3BackupDescription")
)


@op("CreateDeliveryStream", access=passing_roles("firehose:CreateDeliveryStream"))
def create_delivery_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A delivery stream, which takes a moment to become ACTIVE."""
    name, kind = req["DeliveryStreamName"], req.get("DeliveryStreamType") or DIRECT
    if ctx.db[Delivery].get(name) is not None:
        raise errors.in_use(f"Firehose {name} under accountId {ctx.account} already exists")
    if kind not in (DIRECT, KINESIS):
        raise errors.not_built(f"The source {kind}")
    source, role = _source(ctx, req, kind)
    target, config = settings.destination(ctx, req, "Configuration")
    now = ctx.now.timestamp()
    made = ctx.db[Delivery].add(
        Delivery(
            name=name,
            number=rows(ctx.world).number(),
            created=now,
            due=now + life.SECONDS,
            kind=kind,
            source_arn=source,
            source_role=role,
            target=target,
            config=config,
            secret=_secret(ctx, req.get("HttpEndpointDestinationConfiguration")),
            sealed=wanted(req.get("DeliveryStreamEncryptionConfigurationInput"), kind),
            tags=checked(req.get("Tags") or ()),
        )
    )
    if source:
        arrivals.watch(ctx.world, source, made)
    return {"DeliveryStreamARN": ctx.arn(made)}


def _source(ctx: Ctx, req: dict[str, Any], kind: str) -> tuple[str, str]:
    """(ARN, role) of the Kinesis stream to read; raises when it cannot be."""
    given = req.get("KinesisStreamSourceConfiguration")
    if (kind == KINESIS) != bool(given):
        raise errors.invalid("KinesisStreamSourceConfiguration is required for KinesisStreamAsSource, and only then.")
    if not given:
        return "", ""
    arn, role = given["KinesisStreamARN"], given["RoleARN"]
    try:
        who = ctx.assume(
            role, service=settings.PRINCIPAL, session_name="firehose", external_id=ctx.account
        ).caller
        ctx.call("kinesis", "DescribeStream", {"StreamARN": arn, "Limit": 1}, caller=who, via=settings.PRINCIPAL)
    except AwsError as error:
        if error.code == "AccessDenied":
            raise errors.unable_to_assume(role) from error
        raise errors.invalid(f"Role {role} is not authorized to perform DescribeStream on {arn}.") from error
    return arn, role


def _secret(ctx: Ctx, given: dict[str, Any] | None) -> bytes:
    key = ((given or {}).get("EndpointConfiguration") or {}).get("AccessKey")
    return ctx.world.sealer.seal(key.encode(), "firehose-access-key") if key else b""


@op("DescribeDeliveryStream")
def describe_delivery_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A delivery stream with its one destination."""
    held = buffering.stream(ctx, req["DeliveryStreamName"])
    told: dict[str, Any] = {
        "DeliveryStreamName": held.name,
        "DeliveryStreamARN": ctx.arn(held),
        "DeliveryStreamStatus": held.state,
        "DeliveryStreamType": held.kind,
        "VersionId": str(held.version),
        "CreateTimestamp": held.created,
        "DeliveryStreamEncryptionConfiguration": {"Status": "DISABLED"},
        "Destinations": [_destination(held)],
        "HasMoreDestinations": False,
    }
    if held.updated:
        told["LastUpdateTimestamp"] = held.updated
    if held.sealed:
        told["DeliveryStreamEncryptionConfiguration"] = {"Status": "ENABLED", "KeyType": "AWS_OWNED_CMK"}
    if held.source_arn:
        told["Source"] = {
            "KinesisStreamSourceDescription": {
                "KinesisStreamARN": held.source_arn,
                "RoleARN": held.source_role,
                "DeliveryStartTimestamp": held.created,
            }
        }
    return {"DeliveryStreamDescription": told}


def _destination(held: Delivery) -> dict[str, Any]:
    if held.target == HTTP:
        return {"DestinationId": _DESTINATION, "HttpEndpointDestinationDescription": held.config}
    plain = {name: value for name, value in held.config.items() if name not in _EXTENDED}
    told: dict[str, Any] = {"DestinationId": _DESTINATION, "S3DestinationDescription": plain}
    told["ExtendedS3DestinationDescription"] = {"S3BackupMode": "Disabled", **held.config}
    return told


@op("ListDeliveryStreams")
def list_delivery_streams(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Names in order, ten at a time."""
    after, kind = req.get("ExclusiveStartDeliveryStreamName") or "", req.get("DeliveryStreamType")
    names = [one.name for one in ctx.db[Delivery].all() if one.name > after and kind in (None, one.kind)]
    most = req.get("Limit") or 10
    return {"DeliveryStreamNames": names[:most], "HasMoreDeliveryStreams": len(names) > most}


@op("UpdateDestination", access=passing_roles("firehose:UpdateDestination"))
def update_destination(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change the destination: what is not said stays, if the kind of destination does."""
    held = buffering.stream(ctx, req["DeliveryStreamName"])
    if held.state != ACTIVE:
        raise errors.in_use(f"Firehose {held.name} under account {held.account} is not in state ACTIVE.")
    if req["CurrentDeliveryStreamVersionId"] != str(held.version):
        raise AwsError(
            "ConcurrentModificationException",
            f"Cannot update firehose: {held.name} since the current version id: {held.version} and specified version "
            f"id: {req['CurrentDeliveryStreamVersionId']} do not match",
            400,
        )
    if req["DestinationId"] != _DESTINATION:
        raise errors.invalid("Destination Id is invalid")
    target, config = settings.destination(ctx, _merged(held, req), "Update")
    secret = _secret(ctx, req.get("HttpEndpointDestinationUpdate")) or (held.secret if target == held.target else b"")
    ctx.db[Delivery].put(
        replace(
            held, target=target, config=config, secret=secret, version=held.version + 1, updated=ctx.now.timestamp()
        )
    )
    return {}


_PARTS = {"S3BackupUpdate": "S3BackupDescription", "S3Update": "S3DestinationDescription"}


def _merged(held: Delivery, req: dict[str, Any]) -> dict[str, Any]:
    """The request with what the destination has already."""
    same = {HTTP: ("HttpEndpoint",), S3: ("S3", "ExtendedS3")}[held.target]
    merged = dict(req)
    for name in (f"{kind}DestinationUpdate" for kind in same):
        given = req.get(name)
        if given:
            parts = {part: {**held.config.get(was, {}), **given[part]} for part, was in _PARTS.items() if part in given}
            merged[name] = {**held.config, **given, **parts}
    return merged


@op("DeleteDeliveryStream")
def delete_delivery_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End a delivery stream; what still waits is not delivered."""
    held = buffering.stream(ctx, req["DeliveryStreamName"])
    if held.state == DELETING:
        raise errors.in_use(f"Firehose {held.name} under account {held.account} is in state DELETING.")
    life.LIFE.move(ctx, held, DELETING, due=ctx.now.timestamp() + life.SECONDS)
    return {}
