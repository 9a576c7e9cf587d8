"""Jobs of S3 Batch Operations: asked for, told of, confirmed, given up, tagged.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, op, resource_keys
from cloudjar.kit.record import arn_of
from cloudjar.services.s3control.jobs import checks
from cloudjar.services.s3control.jobs.life import announce, wake
from cloudjar.services.s3control.jobs.records import DONE, LIFE, PRINCIPAL, Job
from cloudjar.services.s3control.lookup import check_account, invalid_request

_MOST_TAGS = 50


# -- who may
def _create_access(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """To create a job, to tag it, and to pass its role."""
    kinds = [name for name, given in req["Operation"].items() if given is not None]
    keys = {
        **tags.in_request(req),
        "s3:requestjoboperation": kinds[0] if kinds else "",
        "s3:requestjobpriority": str(req["Priority"]),
    }
    yield Grant("s3:CreateJob", "*", keys)
    if req.get("Tags"):
        yield Grant("s3:PutJobTagging", f"arn:aws:s3:{ctx.region}:{ctx.account}:job/*", keys)
    passed: Mapping[str, Any] = {"iam:passedtoservice": PRINCIPAL}
    yield Grant("iam:PassRole", req["RoleArn"], passed, owner=req["RoleArn"].split(":")[4])


@resource_keys("s3", "job")
def job_keys(job: Job) -> Mapping[str, Any]:
    """What policies may ask of a job that is there."""
    return {
        "s3:ExistingJobOperation": job.kind,
        "s3:ExistingJobPriority": str(job.priority),
        **({"s3:JobSuspendedCause": job.suspended_cause} if job.suspended_cause else {}),
    }


def _priority_keys(_: Ctx, req: dict[str, Any]) -> Mapping[str, Any]:
    return {"s3:RequestJobPriority": str(req["Priority"])}


# -- asked for
@op("CreateJob", access=_create_access)
def create_job(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A job, carried out by itself; with ConfirmationRequired once somebody has confirmed it."""
    check_account(ctx, req)
    checks.check(req)
    generator = (req.get("ManifestGenerator") or {}).get("S3JobManifestGenerator")
    job = ctx.db[Job].add(
        Job(
            id=ids.uuid4(),
            priority=req["Priority"],
            operation={name: given for name, given in req["Operation"].items() if given is not None},
            report=req["Report"],
            manifest=req.get("Manifest"),
            generator=generator,
            role=req["RoleArn"],
            created=ctx.now,
            description=req.get("Description"),
            confirm=bool(req.get("ConfirmationRequired")),
            tags=_checked_tags(req.get("Tags") or ()),
        )
    )
    announce(ctx, job, "JobCreated")
    wake(ctx, job)
    return {"JobId": job.id}


def _checked_tags(given: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    listed = list(given)
    found = tags.from_list(listed)
    if len(found) > _MOST_TAGS:
        raise AwsError("TooManyTagsException", f"A job cannot have more than {_MOST_TAGS} tags.", 400)
    if len(found) != len(listed):
        raise invalid_request("Cannot provide multiple Tags with the same key")
    if any(key.lower().startswith("aws:") for key in found):
        raise invalid_request("System tags cannot be added/updated by requester")
    return found


# -- told of
def _need(ctx: Ctx, req: dict[str, Any]) -> Job:
    check_account(ctx, req)
    return ctx.db[Job].need(req["JobId"])


def _progress(ctx: Ctx, job: Job) -> dict[str, Any]:
    active = 0 if job.began is None else int(((job.ended or ctx.now) - job.began).total_seconds())
    return {
        "TotalNumberOfTasks": job.total,
        "NumberOfTasksSucceeded": job.succeeded,
        "NumberOfTasksFailed": job.failed,
        "Timers": {"ElapsedTimeInActiveSeconds": active},
    }


@op("DescribeJob")
def describe_job(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All that is known of a job."""
    job = _need(ctx, req)
    told = {
        "JobId": job.id,
        "ConfirmationRequired": job.confirm,
        "Description": job.description,
        "JobArn": arn_of(job),
        "Status": job.state,
        "Manifest": job.manifest,
        "ManifestGenerator": None if job.generator is None else {"S3JobManifestGenerator": job.generator},
        "GeneratedManifestDescriptor": job.generated,
        "Operation": job.operation,
        "Priority": job.priority,
        "ProgressSummary": _progress(ctx, job),
        "StatusUpdateReason": job.reason or None,
        "FailureReasons": job.failures,
        "Report": job.report,
        "CreationTime": job.created,
        "TerminationDate": job.ended,
        "RoleArn": job.role,
        "SuspendedDate": job.suspended,
        "SuspendedCause": job.suspended_cause or None,
    }
    return {"Job": told}


@op("ListJobs", pages=False)
def list_jobs(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The newest first."""
    check_account(ctx, req)
    wanted = set(req.get("JobStatuses") or ())
    found = sorted(ctx.db[Job].all(), key=lambda job: (-job.created.timestamp(), job.id))
    chosen = [job for job in found if not wanted or job.state in wanted]
    token = req.get("NextToken")
    if token:
        places = [place for place, job in enumerate(found) if job.id == token]
        if not places:
            raise AwsError("InvalidNextTokenException", "The next token is not valid", 400)
        before = {job.id for job in found[: places[0] + 1]}
        chosen = [job for job in chosen if job.id not in before]
    page = chosen[: req.get("MaxResults") or 1000]
    told: dict[str, Any] = {"Jobs": [_listed(ctx, job) for job in page]}
    if len(chosen) > len(page):
        told["NextToken"] = page[-1].id
    return told


def _listed(ctx: Ctx, job: Job) -> dict[str, Any]:
    return {
        "JobId": job.id,
        "Description": job.description,
        "Operation": job.kind,
        "Priority": job.priority,
        "Status": job.state,
        "CreationTime": job.created,
        "TerminationDate": job.ended,
        "ProgressSummary": _progress(ctx, job),
    }


# -- changed
@op("UpdateJobPriority", keys=_priority_keys)
def update_job_priority(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Before or after which other jobs it goes."""
    job = _need(ctx, req)
    if job.state in DONE:
        raise AwsError("BadRequestException", f"The priority of a job that is {job.state} cannot be changed", 400)
    job = ctx.db[Job].put(replace(job, priority=req["Priority"]))
    return {"JobId": job.id, "Priority": job.priority}


@op("UpdateJobStatus")
def update_job_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Confirm a job that waits for it, or give one up."""
    job = _need(ctx, req)
    to = "Ready" if req["RequestedJobStatus"] == "Ready" else "Cancelling"
    if to not in LIFE.moves.get(job.state, ()) or (to == "Ready" and job.state != "Suspended"):
        text = f"The job is {job.state}: it cannot become {req['RequestedJobStatus']}"
        raise AwsError("JobStatusException", text, 400)
    job = LIFE.move(ctx, job, to, reason=req.get("StatusUpdateReason") or job.reason)
    announce(ctx, job)
    wake(ctx, job)
    return {"JobId": job.id, "Status": job.state, "StatusUpdateReason": job.reason or None}


# -- tagged
@op("PutJobTagging")
def put_job_tagging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace the tags."""
    job = _need(ctx, req)
    ctx.db[Job].put(replace(job, tags=_checked_tags(req["Tags"])))
    return {}


@op("GetJobTagging")
def get_job_tagging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags, in the order of their keys."""
    return {"Tags": tags.as_list(_need(ctx, req).tags)}


@op("DeleteJobTagging")
def delete_job_tagging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No tags any more."""
    ctx.db[Job].put(replace(_need(ctx, req), tags={}))
    return {}
