"""Runs checks and keeps what they find. This is the `Advisor` that others ask."""

from __future__ import annotations

import hashlib
import logging
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.advice import RANK, Check, Finding, Outcome, Status, advises
from cloudjar.kit.context import Ctx
from cloudjar.services.trustedadvisor.checking import CHECKS
from cloudjar.services.trustedadvisor.looking import HOME, Look, NotAvailable
from cloudjar.services.trustedadvisor.records import Exclusion, Kept

log = logging.getLogger("cloudjar.advisor")

FRESH = timedelta(days=1)
"""How old an outcome may be before whoever reads it has it looked at again."""
PAUSE = timedelta(minutes=5)
"""How soon a check may be refreshed again."""


class Engine:
    """The checks of `CHECKS`, and their outcomes in the store."""

    def checks(self) -> tuple[Check, ...]:
        """Every check, in the order of declaration."""
        return tuple(check for check, _ in CHECKS.values())

    def look(self, ctx: Ctx, checks: Iterable[str], *, anew: bool = False) -> None:
        """Run the checks whose outcome is older than a day; all of them with `anew`."""
        due = [key for key in checks if anew or _is_old(ctx, key)]
        if not due:
            return
        look = Look(ctx)
        found = {key: _run(look, key) for key in due}
        with ctx.world.state.database.transaction():
            for key, (state, findings) in found.items():
                _keep(ctx, key, state, findings)

    def outcome(self, ctx: Ctx, check: str) -> Outcome | None:
        """What is kept of a check, with the exclusions of today."""
        kept = ctx.db[Kept].get(check)
        if kept is None or kept.at is None:
            return None
        excluded = {one.place.partition("/")[2] for one in ctx.db[Exclusion].all(check=check)}
        findings = tuple(replace(f, excluded=self.key(check, f) in excluded) for f in kept.findings)
        state: Status = _worst(findings) if kept.state != "not_available" else "not_available"
        return Outcome(CHECKS[check][0], kept.at, state, findings)

    def refresh(self, ctx: Ctx, check: str) -> None:
        """Note that a check shall run, and wake its reconciler; within five minutes of the last look nothing."""
        if self.refreshing(ctx, check)[1]:
            return
        kept = ctx.db[Kept].get(check) or ctx.db[Kept].add(Kept(check=check))
        ctx.wake(ctx.db[Kept].put(replace(kept, asked=ctx.now)))

    def refreshing(self, ctx: Ctx, check: str) -> tuple[str, int]:
        """How the refresh of a check stands."""
        kept = ctx.db[Kept].get(check)
        if kept is None:
            return "none", 0
        if kept.asked is not None:
            return "enqueued", int(PAUSE.total_seconds() * 1000)
        left = (kept.at + PAUSE - ctx.now) if kept.at is not None else timedelta(0)
        return "success", max(int(left.total_seconds() * 1000), 0)

    def key(self, check: str, finding: Finding) -> str:
        """43 characters, as AWS's are."""
        digest = hashlib.sha256(f"{check} {finding.region} {finding.resource}".encode()).digest()
        return urlsafe_b64encode(digest).decode().rstrip("=")


ENGINE = Engine()
advises(ENGINE)


def _is_old(ctx: Ctx, check: str) -> bool:
    kept = ctx.db[Kept].get(check)
    return kept is None or kept.at is None or ctx.now - kept.at >= FRESH


def _run(look: Look, key: str) -> tuple[Status, tuple[Finding, ...]]:
    """A check's state and findings; one that cannot look says so, and takes no other along."""
    try:
        findings = tuple(CHECKS[key][1](look))
    except NotAvailable as why:
        log.debug("%s cannot look: %s", key, why)
        return "not_available", ()
    except AwsError as error:  # what it looked at went away under its eyes, or a call was refused
        log.warning("%s could not look: %s", key, error)
        return "not_available", ()
    return _worst(findings), findings


def _worst(findings: Iterable[Finding]) -> Status:
    states: list[Status] = [finding.status for finding in findings if not finding.excluded]
    return max(states, key=RANK.__getitem__, default="ok")


def _keep(ctx: Ctx, key: str, state: Status, findings: tuple[Finding, ...]) -> None:
    before = ctx.db[Kept].get(key)
    now: datetime = ctx.world.clock.now()
    same = before is not None and before.at is not None and before.findings == findings and before.state == state
    kept = Kept(
        check=key,
        at=now,
        created=before.created if before is not None and before.created else now,
        changed=before.changed if same and before is not None else now,
        state=state,
        findings=findings,
    )
    if before is None:
        ctx.db[Kept].add(kept)
        _tell(ctx, key, {}, findings)
    else:
        ctx.db[Kept].put(replace(kept, account=before.account, region=before.region))
        _tell(ctx, key, {ENGINE.key(key, f): f.status for f in before.findings}, findings)


def _tell(ctx: Ctx, key: str, before: dict[str, str], findings: Iterable[Finding]) -> None:
    """An event for each resource whose status is another than it was.

    https://docs.aws.amazon.com/awssupport/latest/user/cloudwatch-events-ta.html
    """
    check = CHECKS[key][0]
    for finding in findings:
        resource = ENGINE.key(key, finding)
        if before.get(resource, "ok") == finding.status:
            continue
        detail = {
            "check-name": check.name,
            "check-item-detail": dict(zip(check.columns, finding.values, strict=False)),
            "status": finding.status.upper(),
            "resource_id": finding.resource,
            "uuid": resource,
        }
        ctx.at(ctx.account, HOME).emit("aws.trustedadvisor", "Trusted Advisor Check Item Refresh Notification", detail)
