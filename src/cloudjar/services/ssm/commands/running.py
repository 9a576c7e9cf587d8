"""Commands under way: delivered to so many nodes at once, step by step, each to its end.

A step is a job of the node's guest, so it goes on while the server does not. Whatever happened is found by looking.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.events import hears
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.planes.compute.inside import Command as Program
from cloudjar.planes.compute.inside import Inside, JobSeen
from cloudjar.services.ssm.commands import outputs
from cloudjar.services.ssm.commands.planning import share
from cloudjar.services.ssm.commands.records import (
    CANCELLED,
    CANCELLING,
    DELIVERY,
    EXECUTION,
    FAILED,
    NOBODY,
    OPEN,
    PENDING,
    RUNNING,
    SUCCESS,
    TERMINATED,
    TIMED_OUT,
    Command,
    Done,
    Invocation,
    Work,
)
from cloudjar.services.ssm.nodes import agent

_WATCHED = "ssm-jobs-watched"
_KEPT = timedelta(days=30)
_FETCH = ("ec2messages:GetMessages", "ec2messages:AcknowledgeMessage")

# What the agent does: the script lies in its own folder, and a shell is given its name.
_RUN = """
umask 077
mkdir -p "$1" && cat > "$1/_script.sh" && chmod 700 "$1/_script.sh" || exit 1
cd "${2:-/usr/bin}" || exit 1
exec sh -c "$1/_script.sh" </dev/null
"""


@reconciler(Command)
def converge(step: Step, command: Command | None) -> None:
    """One look at a command: every node as far as it can go now."""
    if command is None:
        return
    plane = agent.inside(step.ctx)
    if command.status in OPEN and plane is not None:
        watch(step.world, plane)
        alarms = [alarm for one in _all(step, command) for alarm in _go_on(step, command, one, plane)]
        alarms += _deliver(step, command, plane)
        # One alarm for all, so the earliest: looking too early does no harm.
        if alarms:
            step.again("time", min(alarms))
    _sum_up(step, command)


def _all(step: Step, command: Command) -> list[Invocation]:
    found = step.db[Invocation].all(command_id=command.id)
    return sorted(found, key=lambda one: one.instance_id)


def _deliver(step: Step, command: Command, plane: Inside) -> list[datetime]:
    """Begin on nodes that wait for their turn; when to look again."""
    known = _all(step, command)
    waiting = [one for one in known if one.status == PENDING]
    alarms = [command.deadline] if waiting else []
    running = sum(1 for one in known if one.status in (RUNNING, CANCELLING))
    errors = sum(1 for one in known if _is_error(one))
    most = max(1, share(command.most_at_once, len(known)))
    for one in waiting:
        if command.cancelled or one.cancelled:
            _end(step, one, CANCELLED, CANCELLED)
        elif errors > share(command.most_errors, len(known)):
            _end(step, one, CANCELLED, TERMINATED)
        elif step.ctx.now >= command.deadline:
            _end(step, one, TIMED_OUT, DELIVERY)
        elif running < most and _hears(step.ctx, one):
            running += 1
            alarms += _begin(step, command, one, plane)
    return alarms


def _hears(ctx: Ctx, one: Invocation) -> bool:
    """Whether the node's agent is there to fetch its command."""
    vm = agent.instance(ctx, one.instance_id)
    return vm is not None and agent.is_up(ctx, vm) and (agent.may(ctx, vm, *_FETCH) or agent.may(ctx, vm, *agent.TALK))


def _is_error(one: Invocation) -> bool:
    return one.status in (FAILED, TIMED_OUT)


def _begin(step: Step, command: Command, one: Invocation, plane: Inside) -> list[datetime]:
    """The next step of a node, or the end; when to look again if nobody says that the step has ended."""
    now = step.ctx.now
    changed = replace(one, status=RUNNING, details=RUNNING)
    while len(changed.done) < len(command.work) and command.work[len(changed.done)].skipped:
        changed = replace(changed, done=(*changed.done, _passed(command.work[len(changed.done)], now)))
    if len(changed.done) == len(command.work):
        _close(step, changed)
        return []
    changed = _put(step, replace(changed, began=now))
    work = command.work[len(changed.done)]
    try:
        plane.begin_job(one.instance_id, changed.job, _program(command, one, work, step.ctx.region))
    except PlaneError:
        if plane.enterable(one.instance_id):
            raise
        _put(step, one)  # it went down at this moment: its turn comes when it is back
        return []
    return [now + timedelta(seconds=work.seconds)]


def _passed(work: Work, now: datetime) -> Done:
    return Done(name=work.name, status=SUCCESS, details="Skipped", code=0, out=work.skipped, began=now, ended=now)


def _program(command: Command, one: Invocation, work: Work, region: str) -> Program:
    folder = (
        f"/var/lib/amazon/ssm/{one.instance_id}/document/orchestration/{command.id}/{work.name.replace(':', '')}"
    )
    return Program(
        argv=("/bin/sh", "-c", _RUN, "ssm", folder, work.folder),
        env={"AWS_SSM_INSTANCE_ID": one.instance_id, "AWS_SSM_REGION_NAME": region},
        input=work.script.encode(),
    )


def _go_on(step: Step, command: Command, one: Invocation, plane: Inside) -> list[datetime]:
    """Look at a step under way; when to look again."""
    if one.status not in (RUNNING, CANCELLING):
        return []
    work = command.work[len(one.done)]
    began = one.began or step.ctx.now
    seen = plane.job(one.instance_id, one.job)
    stop = command.cancelled or one.cancelled
    most = began + timedelta(seconds=work.seconds)
    late = step.ctx.now >= most
    if seen is None and plane.enterable(one.instance_id) and not (stop or late):
        return _begin(step, command, one, plane)  # a server that went in between had not begun it
    if seen is not None and seen.running and not (stop or late):
        return [most]
    if seen is not None and seen.running:
        plane.end_job(one.instance_id, one.job)
        seen = plane.job(one.instance_id, one.job) or seen
    return _step_over(step, command, one, plane, _result(step, work, began, seen, stop=stop, late=late))


def _result(step: Step, work: Work, began: datetime, seen: JobSeen | None, *, stop: bool, late: bool) -> Done:
    """How a step went. One that ended by itself did, whatever was asked for meanwhile."""
    out, err = (seen.out, seen.err) if seen is not None else (b"", b"")
    code = seen.code if seen is not None and seen.code is not None else -1
    status, details = (SUCCESS, SUCCESS) if code == 0 else (FAILED, FAILED)
    if code == 0:
        stop = late = False
    if stop:
        status, details = CANCELLED, CANCELLED
    elif late:
        status, details = TIMED_OUT, EXECUTION
    elif seen is None or seen.lost:
        err += b"The node went down before the step had ended."
    elif code:
        err += f"failed to run commands: exit status {code}".encode()
    return Done(
        name=work.name, status=status, details=details, code=code, out=outputs.kept(out, outputs.MOST_OUT),
        err=outputs.kept(err, outputs.MOST_ERR), began=began, ended=step.ctx.now,
    )  # fmt: skip


def _step_over(step: Step, command: Command, one: Invocation, plane: Inside, done: Done) -> list[datetime]:
    """Note how a step went, then the next; when to look again."""
    work = command.work[len(one.done)]
    job, after = one.job, replace(one, done=(*one.done, done), began=None)
    failed = done.status != SUCCESS
    ends = work.on_failure in ("exit", "successAndExit") if failed else work.on_success == "exit"
    if failed and work.on_failure == "successAndExit":
        after = replace(after, done=(*one.done, replace(done, status=SUCCESS, details=SUCCESS)))
    alarms: list[datetime] = []
    if ends or done.status in (CANCELLED, TIMED_OUT) or len(after.done) == len(command.work):
        _close(step, after)
    else:
        alarms = _begin(step, command, _put(step, after), plane)
    plane.forget_job(one.instance_id, job)
    return alarms


def _close(step: Step, one: Invocation) -> None:
    """All steps are over: the worst of them tells."""
    worst = next((d for status in (CANCELLED, TIMED_OUT, FAILED) for d in one.done if d.status == status), None)
    _end(step, one, worst.status if worst else SUCCESS, worst.details if worst else SUCCESS)


def _end(step: Step, one: Invocation, status: str, details: str) -> None:
    changed = _put(step, replace(one, status=status, details=details))
    with step.world.state.database.transaction():
        detail = {"command-id": changed.command_id, "instance-id": changed.instance_id, "status": status}
        step.ctx.emit("aws.ssm", "EC2 Command Invocation Status-change Notification", detail)


def _put(step: Step, one: Invocation) -> Invocation:
    """Store what was found; that somebody cancelled it meanwhile stays."""
    with step.world.state.database.transaction():
        now = step.db[Invocation].get(one.id)
        if now is None:
            return one
        return step.db[Invocation].put(replace(one, cancelled=now.cancelled))


def _sum_up(step: Step, command: Command) -> None:
    """What the invocations come to."""
    known = _all(step, command)
    status, details = outcome(command, known)
    with step.world.state.database.transaction():
        now = step.db[Command].get(command.id)
        if now is None:
            return
        if (now.status, now.details) != (status, details):
            step.db[Command].put(replace(now, status=status, details=details))
            detail = {"command-id": now.id, "document-name": now.document, "status": status}
            step.ctx.emit("aws.ssm", "EC2 Command Status-change Notification", detail)
        if status not in OPEN and step.ctx.now >= command.requested + _KEPT:
            for one in known:
                step.db[Invocation].drop(one)
            step.db[Command].drop(now)
            return
    if status not in OPEN:
        step.again("forget", command.requested + _KEPT)


def outcome(command: Command, known: list[Invocation]) -> tuple[str, str]:
    """Status and details of a command (pure)."""
    if not known:
        return SUCCESS, NOBODY
    states = {one.status for one in known}
    if states & set(OPEN):
        if command.cancelled:
            return CANCELLING, CANCELLING
        return (PENDING, PENDING) if states == {PENDING} else (RUNNING, RUNNING)
    if states == {SUCCESS}:
        return SUCCESS, SUCCESS
    if CANCELLED in states and (command.cancelled or states <= {CANCELLED, SUCCESS}):
        return CANCELLED, CANCELLED
    errors = [one for one in known if _is_error(one)]
    if all(one.details == DELIVERY for one in errors):
        return TIMED_OUT, DELIVERY
    if len(errors) > share(command.most_errors, len(known)):
        return FAILED, FAILED
    return FAILED, "Incomplete"


def watch(world: World, plane: Inside) -> None:
    """Be told of jobs that end, from the first command on."""
    if world.ports.get(_WATCHED) is None:
        world.ports[_WATCHED] = plane

        def ended(machine_id: str, job_id: str) -> None:
            _wake(world, job_id.partition(".")[0])

        plane.watch_jobs(ended)


def _wake(world: World, command_id: str) -> None:
    command = _everywhere(world).db.find(Command, command_id)
    if command is not None:
        with world.state.database.transaction():
            world.state.wakes.wake("ssm/command", command.account, command.region, command.id, purpose="job")


def _everywhere(world: World) -> Ctx:
    return Ctx(world, "", "", service_caller("ssm.amazonaws.com", ""))


@on_boot("ssm")
def at_start(world: World) -> None:
    """Commands that are under way are looked at."""
    ctx = _everywhere(world)
    plane = agent.inside(ctx)
    for command in ctx.db.everywhere(Command):
        if command.status in OPEN:
            if plane is not None:
                watch(world, plane)
            world.state.wakes.wake("ssm/command", command.account, command.region, command.id, purpose="boot")


@hears("aws.ec2", "EC2 Instance State-change Notification")
def changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """A node comes or goes: its commands are looked at."""
    caller = service_caller("ssm.amazonaws.com", account)
    known = Ctx(world, account, region, caller).db[Invocation].all(instance_id=detail["instance-id"])
    for one in known:
        if one.status in OPEN:
            world.state.wakes.wake("ssm/command", account, region, one.command_id, purpose="node")

