"""Policy generation. AWS reads a trail in S3; here it is the jar's own audit.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_StartPolicyGeneration.html
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.kit.audit import Audit
from cloudjar.kit.audit_event import AuditEvent
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of, by_noun
from cloudjar.policy.tell import read
from cloudjar.services.accessanalyzer import errors
from cloudjar.services.accessanalyzer.generation import rules
from cloudjar.services.accessanalyzer.records import Generation

_LONGEST = timedelta(days=90)
_MOST_EVENTS = 100_000


@op("StartPolicyGeneration")
def start_policy_generation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Begin a job that makes a policy of what a user or role did."""
    principal = req["policyGenerationDetails"]["principalArn"]
    _need_principal(ctx, principal)
    if any(job.status == "IN_PROGRESS" for job in ctx.db[Generation].all()):
        raise errors.too_many("You have exceeded the maximum number of concurrent policy generations: 1")
    details = req.get("cloudTrailDetails") or {}
    end = details.get("endTime") or ctx.now
    start = details.get("startTime") or end - _LONGEST
    if start >= end:
        raise errors.validation("The start time must be before the end time.")
    if end - start > _LONGEST:
        raise errors.validation("The time period must not be longer than 90 days.")
    trails = tuple(trail["cloudTrailArn"] for trail in details.get("trails") or ())
    job = ctx.db[Generation].add(
        Generation(id=ids.uuid4(), principal=principal, started=ctx.now, start=start, end=end, trails=trails)
    )
    return {"jobId": job.id}


def _need_principal(ctx: Ctx, text: str) -> None:
    arn = arns.parse(text)
    if arn is None or arn.service != "iam" or arn.type not in ("user", "role") or arn.account != ctx.account:
        raise errors.validation(f"Invalid principal ARN: {text}")
    ctx.world.load("iam")
    declared = by_noun("iam", arn.type)
    found = ctx.at(arn.account, "").db[declared.type].get(arn.name.rpartition("/")[2]) if declared is not None else None
    if found is None or arn_of(found) != text:
        raise errors.validation(f"The principal {text} does not exist.")


@reconciler(Generation)
def generate(step: Step, job: Generation | None) -> None:
    """Read the audit, once; a job that was cancelled meanwhile stays so."""
    if job is None or job.status != "IN_PROGRESS":
        return
    used = used_by(step.ctx, job)

    def finish(now: Generation) -> Generation | None:
        if now.status != "IN_PROGRESS":
            return None
        return replace(now, status="SUCCEEDED", completed=step.ctx.now, used=used)

    step.change(Generation, finish)


def used_by(ctx: Ctx, job: Generation) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The actions that a principal used, and on what: calls that were allowed, as they were authorised."""
    audit: Audit = ctx.world.ports["audit"]
    found: dict[str, set[str]] = defaultdict(set)

    def mine(event: AuditEvent) -> bool:
        issuer = event.besides.session.issuer if event.besides is not None and event.besides.session is not None else ""
        data = event.besides is not None and event.besides.data and not event.besides.other
        return (event.counts or data) and job.principal in (event.caller_arn, issuer)

    account = job.principal.split(":")[4]
    for event in audit.find(account, "", job.start.timestamp(), job.end.timestamp(), mine, _MOST_EVENTS):
        for action, resource in _allowed(event):
            found[action].add(resource)
    return tuple((action, tuple(sorted(found[action]))) for action in sorted(found))


def _allowed(event: AuditEvent) -> list[tuple[str, str]]:
    """The questions of a call that were answered yes; none of a call that was refused for one of them."""
    if not event.decision:
        return []
    told = read(event.decision)
    if told is None or any(account.verdict != "allowed" for account in told.accounts):
        return []
    return [(account.action, account.resource) for account in told.accounts]


def _job(ctx: Ctx, key: str) -> Generation:
    found = ctx.db[Generation].get(key)
    if found is None:
        raise errors.validation(f"The job {key} does not exist.")
    return found


@op("GetGeneratedPolicy")
def get_generated_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The job and, once it is done, its policy."""
    job = _job(ctx, req["jobId"])
    properties: dict[str, Any] = {"isComplete": job.status == "SUCCEEDED", "principalArn": job.principal}
    if job.trails:
        properties["cloudTrailProperties"] = {
            "trailProperties": [{"cloudTrailArn": arn, "allRegions": True} for arn in job.trails],
            "startTime": job.start,
            "endTime": job.end,
        }
    result: dict[str, Any] = {"properties": properties}
    if job.status == "SUCCEEDED" and job.used:
        made = rules.document(job.used, placeholders=bool(req.get("includeResourcePlaceholders")))
        result["generatedPolicies"] = [{"policy": json.dumps(made)}]
    return {"jobDetails": {**_status(job), "jobId": job.id}, "generatedPolicyResult": result}


def _status(job: Generation) -> dict[str, Any]:
    return {"status": job.status, "startedOn": job.started, "completedOn": job.completed}


@op("ListPolicyGenerations")
def list_policy_generations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The jobs, the newest first."""
    wanted = req.get("principalArn")
    found = [job for job in ctx.db[Generation].all() if wanted in (None, job.principal)]
    found.sort(key=lambda job: (job.started, job.id), reverse=True)
    return {"policyGenerations": [{"jobId": j.id, "principalArn": j.principal, **_status(j)} for j in found]}


@op("CancelPolicyGeneration")
def cancel_policy_generation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give up a job that is not done."""
    job = _job(ctx, req["jobId"])
    if job.status == "IN_PROGRESS":
        ctx.db[Generation].put(replace(job, status="CANCELED", completed=ctx.now))
    return {}
