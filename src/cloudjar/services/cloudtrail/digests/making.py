"""A digest: the log files of an hour with their hashes, the digest before, and a signature over both.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.kit.machine import Step
from cloudjar.services.cloudtrail.delivery import putting
from cloudjar.services.cloudtrail.delivery.files import packed
from cloudjar.services.cloudtrail.digests import keys
from cloudjar.services.cloudtrail.trails import destinations
from cloudjar.services.cloudtrail.trails.records import Delivered, Link, Run, SigningKey, Stretch, Trail

_ALGORITHM = "SHA256withRSA"


def forgotten(run: Run) -> Run:
    """A run whose digests are not wanted any more: the chain is broken."""
    stretches = {place: replace(held, files=[], last=None) for place, held in run.stretches.items()}
    return replace(run, digested=None, stretches=stretches)


def make(step: Step, run: Run, trail: Trail, end: datetime) -> None:
    """Deliver the digests of each account and Region from the last ones' end to `end`."""
    for place in run.stretches:
        _make(step, run, trail, place, end)
    with step.world.state.database.transaction():
        step.db[Run].put(replace(step.db[Run].need(run.id), digested=end))


def _make(step: Step, run: Run, trail: Trail, place: str, end: datetime) -> None:
    account, region = place.split("/")
    there = step.ctx.at(trail.account, region)
    key = keys.current(there)
    where = destinations.place_of(step.ctx, trail)
    below = _key(trail, account, region, end)
    with step.world.state.database.transaction():
        now = step.db[Run].need(run.id)
        held = now.stretches[place]
        if where is None:
            putting.digest_noted(step.ctx, trail, account, region, "NoSuchBucket", end)
            return
        at = Delivered(where.bucket, where.prefix + below, "", 0, 0)
        text = msgspec.json.encode(_digest(account, held, at, run.digested or end, end, key))
        body, sha256 = packed(text)
        signature = keys.sign(there, key, _to_sign(end, at, sha256, held.last))
        metadata = {"signature": signature, "signature-algorithm": _ALGORITHM}
        done = putting.put(step.ctx, trail, below, body, metadata)
        if isinstance(done, str):
            putting.digest_noted(step.ctx, trail, account, region, done, end)
            return
        putting.digest_noted(step.ctx, trail, account, region, "", end)
        after = replace(held, files=[], last=Link(at.bucket, at.key, sha256, signature))
        step.db[Run].put(replace(now, stretches={**now.stretches, place: after}))


def _key(trail: Trail, account: str, region: str, end: datetime) -> str:
    place = f"{destinations.folder(trail, account)}/CloudTrail-Digest/{region}/{end:%Y/%m/%d}"
    return f"{place}/{account}_CloudTrail-Digest_{region}_{trail.name}_{trail.region}_{end:%Y%m%dT%H%M%SZ}.json.gz"


def _to_sign(end: datetime, at: Delivered, sha256: str, last: Link | None) -> str:
    return f"{_time(end)}\n{at.bucket}/{at.key}\n{sha256}\n{last.signature if last is not None else 'null'}"


def _digest(
    account: str, held: Stretch, at: Delivered, start: datetime, end: datetime, key: SigningKey
) -> dict[str, Any]:
    last, files = held.last, held.files
    return {
        "awsAccountId": account,
        "digestStartTime": _time(start),
        "digestEndTime": _time(end),
        "digestS3Bucket": at.bucket,
        "digestS3Object": at.key,
        "digestPublicKeyFingerprint": key.fingerprint,
        "digestSignatureAlgorithm": _ALGORITHM,
        "newestEventTime": _seconds(max(file.newest for file in files)) if files else None,
        "oldestEventTime": _seconds(min(file.oldest for file in files)) if files else None,
        "previousDigestS3Bucket": last.bucket if last is not None else None,
        "previousDigestS3Object": last.key if last is not None else None,
        "previousDigestHashValue": last.sha256 if last is not None else None,
        "previousDigestHashAlgorithm": "SHA-256" if last is not None else None,
        "previousDigestSignature": last.signature if last is not None else None,
        "logFiles": [_log_file(file) for file in files],
    }


def _log_file(file: Delivered) -> dict[str, str]:
    return {
        "s3Bucket": file.bucket,
        "s3Object": file.key,
        "hashValue": file.sha256,
        "hashAlgorithm": "SHA-256",
        "newestEventTime": _seconds(file.newest),
        "oldestEventTime": _seconds(file.oldest),
    }


def _seconds(time: float) -> str:
    return _time(datetime.fromtimestamp(time, UTC))


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
