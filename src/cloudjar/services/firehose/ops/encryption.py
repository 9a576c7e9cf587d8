"""Server-side encryption of what waits to be delivered.

https://docs.aws.amazon.com/firehose/latest/dev/encryption.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.firehose import buffering, errors
from cloudjar.services.firehose.records import ACTIVE, DIRECT, Delivery


def wanted(given: dict[str, Any] | None, kind: str) -> bool:
    """Whether a request asks for encryption. Raises InvalidArgumentException; 501 for customers' keys."""
    if not given:
        return False
    if kind != DIRECT:
        raise errors.invalid("Server-side encryption is for delivery streams with DirectPut as their source.")
    if given["KeyType"] == "CUSTOMER_MANAGED_CMK":
        raise errors.not_built("Encryption under a customer managed key")
    if given.get("KeyARN"):
        raise errors.invalid("KeyARN must not be given with the key type AWS_OWNED_CMK.")
    return True


def _idle(ctx: Ctx, req: dict[str, Any]) -> Delivery:
    held = buffering.stream(ctx, req["DeliveryStreamName"])
    if held.state != ACTIVE:
        raise errors.in_use(f"Firehose {held.name} under account {held.account} is not in state ACTIVE.")
    return held


@op("StartDeliveryStreamEncryption")
def start_delivery_stream_encryption(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Encrypt what comes from now on."""
    held = _idle(ctx, req)
    wanted(req.get("DeliveryStreamEncryptionConfigurationInput") or {"KeyType": "AWS_OWNED_CMK"}, held.kind)
    ctx.db[Delivery].put(replace(held, sealed=True))
    return {}


@op("StopDeliveryStreamEncryption")
def stop_delivery_stream_encryption(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep what comes from now on as it is."""
    ctx.db[Delivery].put(replace(_idle(ctx, req), sealed=False))
    return {}
