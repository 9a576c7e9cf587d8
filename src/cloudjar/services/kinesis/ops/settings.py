"""What a stream does: retention, encryption, monitoring, mode, the size of its records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.kinesis import errors, finding, life, sealing
from cloudjar.services.kinesis.measuring import SHARD_LEVEL
from cloudjar.services.kinesis.ops.streams import within_limits
from cloudjar.services.kinesis.records import ON_DEMAND, UPDATING, Stream

_SHORTEST, _LONGEST = 24, 8760
_SWITCHES = 2


def _period(ctx: Ctx, req: dict[str, Any]) -> tuple[Stream, int]:
    stream, hours = finding.active(ctx, req), int(req["RetentionPeriodHours"])
    if hours < _SHORTEST:
        raise errors.invalid(
            f"Minimum allowed retention period is {_SHORTEST} hours. Requested retention period ({hours} hours) is too "
            "short."
        )
    if hours > _LONGEST:
        raise errors.invalid(
            f"Maximum allowed retention period is {_LONGEST} hours. Requested retention period ({hours} hours) is too "
            "long."
        )
    return stream, hours


@op("IncreaseStreamRetentionPeriod")
def increase_stream_retention_period(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep records longer."""
    stream, hours = _period(ctx, req)
    if hours < stream.retention:
        raise errors.invalid(
            f"Requested retention period ({hours} hours) for stream {stream.name} can not be shorter than existing "
            f"retention period ({stream.retention} hours). Use DecreaseRetentionPeriod API."
        )
    life.LIFE.move(ctx, stream, UPDATING, retention=hours, due=life.later(ctx))
    return {}


@op("DecreaseStreamRetentionPeriod")
def decrease_stream_retention_period(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep records shorter: what is older is out of reach at once."""
    stream, hours = _period(ctx, req)
    if hours > stream.retention:
        raise errors.invalid(
            f"Requested retention period ({hours} hours) for stream {stream.name} can not be longer than existing "
            f"retention period ({stream.retention} hours). Use IncreaseRetentionPeriod API."
        )
    changed = life.LIFE.move(ctx, stream, UPDATING, retention=hours, due=life.later(ctx))
    ctx.wake(changed, purpose="trim")
    return {}


@op("StartStreamEncryption")
def start_stream_encryption(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Encrypt what is put from now on under a KMS key that the caller may use."""
    stream = finding.active(ctx, req)
    if req["EncryptionType"] != "KMS":
        raise errors.invalid("EncryptionType must be KMS.")
    wanted = replace(stream, encryption="KMS", kms_key=req["KeyId"])
    sealing.try_key(ctx, wanted)
    sealing.forget(ctx)
    life.LIFE.move(ctx, stream, UPDATING, encryption="KMS", kms_key=req["KeyId"], due=life.later(ctx))
    return {}


@op("StopStreamEncryption")
def stop_stream_encryption(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep what is put from now on as it is."""
    stream = finding.active(ctx, req)
    if req["EncryptionType"] != "KMS":
        raise errors.invalid("EncryptionType must be KMS.")
    if stream.encryption == "NONE":
        return {}
    if req["KeyId"] != stream.kms_key:
        raise errors.invalid(f"The stream {stream.name} is not encrypted under the key {req['KeyId']}.")
    sealing.forget(ctx)
    life.LIFE.move(ctx, stream, UPDATING, encryption="NONE", kms_key="", due=life.later(ctx))
    return {}


def _metrics(req: dict[str, Any]) -> set[str]:
    asked = set(req["ShardLevelMetrics"])
    return set(SHARD_LEVEL) if "ALL" in asked else asked


def _monitored(ctx: Ctx, stream: Stream, wanted: set[str]) -> dict[str, Any]:
    ordered = tuple(name for name in SHARD_LEVEL if name in wanted)
    life.LIFE.move(ctx, stream, UPDATING, metrics=ordered, due=life.later(ctx))
    return {
        "StreamName": stream.name,
        "StreamARN": ctx.arn(stream),
        "CurrentShardLevelMetrics": list(stream.metrics),
        "DesiredShardLevelMetrics": list(ordered),
    }


@op("EnableEnhancedMonitoring")
def enable_enhanced_monitoring(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Measure every shard by itself."""
    stream = finding.active(ctx, req)
    return _monitored(ctx, stream, set(stream.metrics) | _metrics(req))


@op("DisableEnhancedMonitoring")
def disable_enhanced_monitoring(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Measure shards by themselves no more."""
    stream = finding.active(ctx, req)
    return _monitored(ctx, stream, set(stream.metrics) - _metrics(req))


@op("UpdateStreamMode")
def update_stream_mode(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """On demand or provisioned; twice a day at most. The shards stay as they are."""
    if req.get("WarmThroughputMiBps"):
        raise AwsError("NotImplemented", "Warm throughput is not built in Cloudjar yet.", 501)
    stream, mode = finding.active(ctx, req), req["StreamModeDetails"]["StreamMode"]
    if mode == stream.mode:
        return {}
    since = (ctx.now - timedelta(days=1)).timestamp()
    lately = tuple(at for at in stream.switches if at > since)
    if len(lately) >= _SWITCHES:
        raise errors.limit(
            f"The mode of stream {stream.name} under account {stream.account} was changed {_SWITCHES} times in the "
            "last 24 hours, which is the most."
        )
    within_limits(ctx, mode, 0 if mode == ON_DEMAND else stream.open_shards)
    switches = (*lately, ctx.now.timestamp())
    life.LIFE.move(ctx, stream, UPDATING, mode=mode, switches=switches, due=life.later(ctx))
    return {}


@op("UpdateMaxRecordSize")
def update_max_record_size(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """How large a record may be, in KiB."""
    stream = finding.active(ctx, req)
    life.LIFE.move(ctx, stream, UPDATING, max_record=req["MaxRecordSizeInKiB"], due=life.later(ctx))
    return {}
