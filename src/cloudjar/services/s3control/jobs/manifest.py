"""Manifests: which objects a job is about, read with the job's role.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/specify-batchjob-manifest.html
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote_plus

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.s3control.jobs.tasks import Entry
from cloudjar.services.s3control.lookup import find_bucket

CSV, INVENTORY = "S3BatchOperations_CSV_20180820", "S3InventoryReport_CSV_20161130"
_NEEDED = ("Bucket", "Key")


class BadManifestError(Exception):
    """A manifest that cannot be read: AWS's failure code, and why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason = code, reason


def read(ctx: Ctx, role: Caller, manifest: dict[str, Any]) -> list[Entry]:
    """The objects that a manifest names. Raises `BadManifestError`."""
    place, spec = manifest["Location"], manifest["Spec"]
    raw = _bytes(ctx, role, place["ObjectArn"], place.get("ObjectVersionId") or "", place["ETag"])
    if spec["Format"] == CSV:
        entries = list(_rows(_text(raw), spec["Fields"]))
    else:
        entries = list(_inventory(ctx, role, raw))
    if not entries:
        raise BadManifestError("InvalidManifestContent", "The manifest has no entries")
    return entries


def _bytes(ctx: Ctx, role: Caller, arn: str, version: str = "", etag: str = "") -> bytes:
    bucket, key = place_of(arn)
    found = find_bucket(ctx, bucket)
    region = ctx.region if found is None else found.location
    asked = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
    if etag:
        asked["IfMatch"] = f'"{etag.strip(chr(34))}"'
    try:
        body = ctx.at(ctx.account, region).call("s3", "GetObject", asked, caller=role)["Body"]
    except AwsError as error:
        raise _unreadable(error) from error
    return body if isinstance(body, bytes) else b"".join(body)


def _unreadable(error: AwsError) -> BadManifestError:
    if error.status == 412:
        return BadManifestError("ManifestETagMismatch", "The ETag of the manifest is not the one that was stated")
    if error.status == 404:
        return BadManifestError("ManifestNotFound", "Manifest object was not found")
    if error.status == 403:
        return BadManifestError(error.code, f"Reading the manifest is forbidden: {error.code}")
    return BadManifestError(error.code, f"Error reading the manifest: {error.message}"[:256])


def place_of(arn: str) -> tuple[str, str]:
    """Bucket and key of an object's ARN."""
    parsed = arns.parse(arn)
    bucket, _, key = ("", "", "") if parsed is None else parsed.resource.partition("/")
    return bucket, key


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadManifestError("InvalidManifestContent", "Invalid Manifest Content") from None


def _rows(text: str, fields: Sequence[str]) -> Iterator[Entry]:
    """Lines as their columns say; keys are URL-encoded in a manifest."""
    missing = [name for name in _NEEDED if name not in fields]
    if missing:
        raise BadManifestError(
            "InvalidManifestContent", f"Required fields are missing in the schema: {', '.join(missing)}"
        )
    at = {name: place for place, name in enumerate(fields)}
    try:
        for row in csv.reader(io.StringIO(text, newline="")):
            if row:
                yield _entry(row, at)
    except csv.Error:
        raise BadManifestError("InvalidManifestContent", "Invalid Manifest Content") from None


def _entry(row: Sequence[str], at: dict[str, int]) -> Entry:
    if len(row) < max(at.values()) + 1:
        raise BadManifestError("InvalidManifestContent", "Invalid Manifest Content")
    version = row[at["VersionId"]] if "VersionId" in at else ""
    return Entry(row[at["Bucket"]], unquote_plus(row[at["Key"]]), version)


def _inventory(ctx: Ctx, role: Caller, raw: bytes) -> Iterator[Entry]:
    """What the files of an inventory list; markers are passed over."""
    try:
        told = json.loads(raw)
        bucket = told["destinationBucket"]
        names = [str(name["key"]) for name in told["files"]]
        fields = [field.strip() for field in told["fileSchema"].split(",")]
        form = told["fileFormat"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadManifestError("InvalidManifestContent", "Invalid Manifest Content") from None
    if form != "CSV":
        raise BadManifestError("InvalidManifestContent", f"Inventories in the format {form} cannot be a manifest")
    for name in names:
        packed = _bytes(ctx, role, f"{bucket}/{name}")
        try:
            text = _text(gzip.decompress(packed))
        except (OSError, EOFError):
            raise BadManifestError("InvalidManifestContent", "Invalid Manifest Content") from None
        yield from _rows(_without_markers(text, fields), fields)


def _without_markers(text: str, fields: Sequence[str]) -> str:
    if "IsDeleteMarker" not in fields:
        return text
    at = fields.index("IsDeleteMarker")
    kept = io.StringIO(newline="")
    csv.writer(kept).writerows(
        row for row in csv.reader(io.StringIO(text, newline="")) if len(row) <= at or row[at] != "true"
    )
    return kept.getvalue()


def regions_of(ctx: Ctx, entries: Iterable[Entry]) -> dict[str, str]:
    """Where the buckets of some entries lie; of those that are not there the job's own Region."""
    names = {entry.bucket for entry in entries}
    found = {name: find_bucket(ctx, name) for name in names}
    return {name: ctx.region if bucket is None else bucket.location for name, bucket in found.items()}
