"""The completion report of a job: what became of each task, in files of a bucket, with a manifest.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html
"""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Any
from urllib.parse import quote

import msgspec

from cloudjar.base.caller import Caller
from cloudjar.kit.context import Ctx
from cloudjar.services.s3control.jobs.manifest import place_of
from cloudjar.services.s3control.jobs.records import Job
from cloudjar.services.s3control.jobs.tasks import Tasks
from cloudjar.services.s3control.lookup import find_bucket

SCHEMA = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"


def write(ctx: Ctx, role: Caller, job: Job, held: Tasks) -> None:
    """Put the files of a job's report. Raises what S3 answers."""
    if not job.report["Enabled"] or not job.ran:
        return
    bucket = place_of(job.report["Bucket"])[0]
    there = find_bucket(ctx, bucket)
    at = ctx if there is None else ctx.at(ctx.account, there.location)
    prefix = (job.report.get("Prefix") or "").strip("/")
    folder = f"{prefix}/job-{job.id}" if prefix else f"job-{job.id}"

    def put(key: str, body: bytes) -> str:
        checksum = hashlib.md5(body, usedforsecurity=False).hexdigest()
        for name, what in ((key, body), (f"{key}.md5", checksum.encode())):
            request: dict[str, Any] = {"Bucket": bucket, "Key": name, "Body": what, "ServerSideEncryption": "AES256"}
            if job.report.get("ExpectedBucketOwner"):
                request["ExpectedBucketOwner"] = job.report["ExpectedBucketOwner"]
            at.call("s3", "PutObject", request, caller=role)
        return checksum

    results = []
    for status in ("succeeded", "failed"):
        if status == "succeeded" and job.report.get("ReportScope") == "FailedTasksOnly":
            continue
        body = _lines(job, held, status)
        if body:
            name = hashlib.sha1(f"{job.id}/{status}".encode(), usedforsecurity=False).hexdigest()
            key = f"{folder}/results/{name}.csv"
            checksum = put(key, body)
            results.append({"TaskExecutionStatus": status, "Bucket": bucket, "MD5Checksum": checksum, "Key": key})
    stamp = ctx.now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ctx.now.microsecond // 1000:03d}Z"
    told = {
        "Format": job.report["Format"],
        "ReportCreationDate": stamp,
        "Results": results,
        "ReportSchema": SCHEMA,
    }
    put(f"{folder}/manifest.json", msgspec.json.encode(told))


def _lines(job: Job, held: Tasks, status: str) -> bytes:
    """Rows as AWS writes them: the HTTP status comes before the error's code, whatever the schema says."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for entry, result in held.results(job.id, succeeded=status == "succeeded"):
        writer.writerow(
            (entry.bucket, quote(entry.key), entry.version, status, result.status, result.code, result.message)
        )
    return out.getvalue().encode()
