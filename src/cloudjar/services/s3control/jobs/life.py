"""Jobs carried out: the manifest read, tasks done some at a time, the report written, all with the job's role.

Each look is one idempotent step; what a crash interrupts is a batch of tasks, which are done again: AWS too may do a
task more than once.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.quantities import Owner, Quantities, Tally
from cloudjar.kit.record import arn_of
from cloudjar.services.s3control.jobs import doing, generating, manifest, report
from cloudjar.services.s3control.jobs.manifest import BadManifestError
from cloudjar.services.s3control.jobs.records import DONE, LIFE, PRINCIPAL, RUN, Job, JobRun
from cloudjar.services.s3control.jobs.tasks import Entry, Result, tasks

_PREPARING = 5.0
"""Seconds of AWS time that a manifest takes; further ones until a job that is ready begins, and for each batch."""
_READY = 1.0
_BATCH = 200
_ENOUGH, _HALF = 1000, 2
"""A job fails when more than half of at least a thousand tasks have failed."""
_WAITS = timedelta(days=30)
_KEPT = timedelta(days=90)
_REQUESTS = {
    "S3PutObjectCopy": "CopyObject",
    "S3PutObjectTagging": "PutObjectTagging",
    "S3PutObjectAcl": "PutObjectAcl",
    "S3PutObjectLegalHold": "PutObjectLegalHold",
    "S3PutObjectRetention": "PutObjectRetention",
    "S3UpdateObjectEncryption": "UpdateObjectEncryption",
}


def wake(ctx: Ctx, job: Job) -> None:
    """Have a job looked at, with the commit."""
    ctx.world.state.wakes.wake(RUN, job.account, job.region, job.id)


def announce(ctx: Ctx, job: Job, name: str = "JobStatusChanged") -> None:
    """The event of CloudTrail that tells of a job's status."""
    details: dict[str, Any] = {
        "jobId": job.id,
        "jobArn": arn_of(job),
        "status": job.state,
        "failureCodes": [failure["FailureCode"] for failure in job.failures],
        "statusChangeReason": [job.reason] if job.reason else [],
    }
    ctx.at(job.account, job.region).service_event("s3", name, resources=(arn_of(job),), details=details)


def move(step: Step, job: Job, to: str, **changes: Any) -> Job | None:
    """Move a job on, unless somebody did meanwhile; told to CloudTrail."""
    with step.world.state.database.transaction():
        now = step.db[Job].get(job.id)
        if now is None or now.state != job.state:
            return None
        moved = LIFE.move(step.ctx, now, to, **changes)
        announce(step.ctx, moved)
        return moved


@reconciler(JobRun)
def run(step: Step, _: JobRun | None) -> None:
    """Bring a job one step on."""
    job = step.db[Job].get(step.key)
    if job is None:
        with step.world.state.database.transaction():
            tasks(step.world).forget(step.key)
        return
    _STEPS[job.state](step, job)


def _new(step: Step, job: Job) -> None:
    if move(step, job, "Preparing") is not None:
        step.soon(_PREPARING, "")


def _preparing(step: Step, job: Job) -> None:
    due = job.created + timedelta(seconds=_PREPARING)
    if step.ctx.now < due:
        step.again("", due)
        return
    try:
        role = _role(step, job)
        source, generated = job.manifest, None
        if source is None:
            assert job.generator is not None
            entries, generated = generating.generate(step.ctx, role, job, job.generator)
        else:
            entries = manifest.read(step.ctx, role, source)
        _check(step, job, entries)
    except BadManifestError as error:
        _fail(step, job, error.code, error.reason)
        return
    with step.world.state.database.transaction():
        changes: dict[str, Any] = {"generated": generated} if generated else {}
        total = tasks(step.world).add(job.id, entries)
        to = "Suspended" if job.confirm else "Ready"
        if job.confirm:
            changes |= {"suspended": step.ctx.now, "suspended_cause": "AwaitingConfirmation"}
        move(step, job, to, total=total, **changes)
    if job.confirm:
        step.again("", step.ctx.now + _WAITS)
    else:
        step.soon(_READY, "")


def _check(step: Step, job: Job, entries: list[Entry]) -> None:
    if job.kind == doing.REPLICATE and any(not entry.version for entry in entries):
        raise BadManifestError("InvalidManifestContent", "Required fields are missing in the schema: VersionId")


def _suspended(step: Step, job: Job) -> None:
    """Who does not confirm within thirty days finds the job failed."""
    assert job.suspended is not None
    if step.ctx.now >= job.suspended + _WAITS:
        _fail(step, job, "JobExpired", "The job was not confirmed within 30 days")
    else:
        step.again("", job.suspended + _WAITS)


def _ready(step: Step, job: Job) -> None:
    """Jobs of higher priority go before."""
    before = [one for one in step.db[Job].all() if one.state == "Active" and one.priority > job.priority]
    if not before:
        move(step, job, "Active", began=job.began or step.ctx.now)
    step.soon(_READY, "")


def _active(step: Step, job: Job) -> None:
    """Do some tasks; the rest, or the report, with the next look."""
    held = tasks(step.world)
    batch = held.next(job.id, job.ran, _BATCH)
    results: list[tuple[int, Result]] = []
    if batch:
        try:
            role = _role(step, job)
        except BadManifestError as error:
            _fail(step, job, error.code, error.reason)
            return
        given = job.operation[job.kind] or {}
        results = [(number, doing.do(step.ctx, role, job.kind, given, entry)) for number, entry in batch]
    with step.world.state.database.transaction():
        for number, result in results:
            held.done(job.id, number, result)
        failed = sum(not result.succeeded for _, result in results)
        now = step.db[Job].need(job.id)
        changes = {"succeeded": now.succeeded + len(results) - failed, "failed": now.failed + failed}
        now = step.db[Job].put(replace(now, **changes))
        _bill(step, now, len(results))
        if now.state != "Active":  # given up meanwhile: its own wake-up ends it
            return
        if now.ran >= _ENOUGH and now.failed * _HALF > now.ran:
            why = {"FailureCode": "FailureThresholdExceeded", "FailureReason": "More than half of the tasks failed"}
            move(step, now, "Failing", failures=[why])
        elif now.ran >= now.total:
            move(step, now, "Completing")
    step.soon(_READY, "")


def _end(step: Step, job: Job) -> None:
    """Write the report, and be done."""
    outcome = {"Completing": "Complete", "Failing": "Failed", "Cancelling": "Cancelled"}[job.state]
    changes: dict[str, Any] = {}
    try:
        if job.ran and job.report["Enabled"]:
            report.write(step.ctx, _role(step, job), job, tasks(step.world))
    except (AwsError, BadManifestError) as error:
        why = {"FailureCode": error.code, "FailureReason": f"The completion report could not be written: {error}"[:256]}
        changes = {"failures": [*job.failures, why]}
        if job.state == "Completing":
            failing = move(step, job, "Failing", **changes)
            if failing is not None:
                _finish(step, failing, "Failed", {})
            return
    _finish(step, job, outcome, changes)


def _finish(step: Step, job: Job, outcome: str, changes: dict[str, Any]) -> None:
    with step.world.state.database.transaction():
        if move(step, job, outcome, ended=step.ctx.now, **changes) is None:
            return
        tasks(step.world).forget(job.id)
        if job.total:
            _count(step, job, "BatchOperations-Jobs", "Jobs", 1)
    step.again("", step.ctx.now + _KEPT)


def _over(step: Step, job: Job) -> None:
    """Jobs that have ended are told of for ninety days."""
    assert job.ended is not None
    if step.ctx.now < job.ended + _KEPT:
        step.again("", job.ended + _KEPT)
        return
    with step.world.state.database.transaction():
        step.db[Job].drop(job)


def _fail(step: Step, job: Job, code: str, reason: str) -> None:
    """Nothing more is done; what was done is reported."""
    failures = [{"FailureCode": code[:64], "FailureReason": reason[:256]}]
    if move(step, job, "Failing", failures=failures) is not None:
        step.soon(0, "")


def _role(step: Step, job: Job) -> Caller:
    """The job's role, assumed. Raises `BadManifestError`."""
    ctx = Ctx(step.world, job.account, job.region, step.ctx.caller)
    try:
        return ctx.as_role(
            job.role, service=PRINCIPAL, source_arn=arn_of(job), session_name=f"s3-batch-operations_{job.id}"
        )
    except AwsError as error:
        raise BadManifestError("AccessDenied", f"Failed to assume role {job.role}: {error.code}") from error


# -- what it costs
def _bill(step: Step, job: Job, done: int) -> None:
    """Every task, and the request that it was."""
    if not done:
        return
    _count(step, job, "BatchOperations-Objects", "Objects", done)
    operation = _REQUESTS.get(job.kind)
    if operation:
        _count(step, job, "Requests-Tier1", "Requests", done, operation)


def _count(step: Step, job: Job, usage: str, unit: str, amount: int, operation: str = "") -> None:
    quantities: Quantities = step.world.ports["quantities"]
    tally = Tally("AmazonS3", usage, operation, unit, 1)
    quantities.add(Owner(job.account, job.region, job.id), tally, amount)


_STEPS: dict[str, Callable[[Step, Job], None]] = {
    "New": _new,
    "Preparing": _preparing,
    "Suspended": _suspended,
    "Ready": _ready,
    "Active": _active,
    "Completing": _end,
    "Failing": _end,
    "Cancelling": _end,
    **dict.fromkeys(DONE, _over),
}
