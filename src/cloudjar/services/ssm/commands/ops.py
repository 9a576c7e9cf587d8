"""Send commands, see how they went, cancel them.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ssm import errors
from cloudjar.services.ssm.commands import outputs, planning
from cloudjar.services.ssm.commands.records import (
    CANCELLING,
    OPEN,
    PENDING,
    RUNNING,
    SUCCESS,
    Command,
    Done,
    Invocation,
    invocation_key,
)

_UNBUILT = ("OutputS3BucketName", "NotificationConfig", "AlarmConfiguration", "ServiceRoleArn")
View = dict[str, Any]


@op("SendCommand", access=planning.sending)
def send_command(ctx: Ctx, req: View) -> View:
    """A command for nodes by their ids, or by what targets mean now."""
    for member in _UNBUILT:
        if req.get(member):
            raise errors.not_built(f"The member {member} of commands")
    if (req.get("CloudWatchOutputConfig") or {}).get("CloudWatchOutputEnabled"):
        raise errors.not_built("Output of commands to CloudWatch Logs")
    found = planning.document(ctx, req)
    work = planning.plan(found, req.get("Parameters") or {})
    nodes = planning.nodes(ctx, req)
    command = ctx.db[Command].add(
        Command(
            id=ids.uuid4(),
            document=req["DocumentName"],
            version=req.get("DocumentVersion") or "$DEFAULT",
            comment=req.get("Comment") or "",
            parameters=req.get("Parameters") or {},
            instance_ids=tuple(req.get("InstanceIds") or ()),
            targets=tuple(req.get("Targets") or ()),
            work=work,
            requested=ctx.now,
            seconds=req.get("TimeoutSeconds") or 3600,
            most_at_once=req.get("MaxConcurrency") or "50",
            most_errors=req.get("MaxErrors") or "0",
        )
    )
    for vm in nodes:
        ctx.db[Invocation].add(
            Invocation(
                id=invocation_key(command.id, vm.id),
                command_id=command.id,
                instance_id=vm.id,
                instance_name=vm.tags.get("Name", ""),
            )
        )
    return {"Command": _show(ctx, command)}


def _show(ctx: Ctx, command: Command) -> View:
    known = ctx.db[Invocation].all(command_id=command.id)
    ended = [one for one in known if one.status not in OPEN]
    late = [one for one in ended if one.details == "DeliveryTimedOut"]
    return {
        "CommandId": command.id,
        "DocumentName": command.document,
        "DocumentVersion": command.version,
        "Comment": command.comment,
        "ExpiresAfter": command.expires,
        "Parameters": command.parameters,
        "InstanceIds": list(command.instance_ids),
        "Targets": list(command.targets),
        "RequestedDateTime": command.requested,
        "Status": command.status,
        "StatusDetails": command.details,
        "OutputS3Region": ctx.region,
        "OutputS3BucketName": "",
        "OutputS3KeyPrefix": "",
        "MaxConcurrency": command.most_at_once,
        "MaxErrors": command.most_errors,
        "TargetCount": len(known),
        "CompletedCount": len(ended),
        "ErrorCount": len([one for one in ended if one.status != SUCCESS and one not in late]),
        "DeliveryTimedOutCount": len(late),
        "ServiceRole": "",
        "NotificationConfig": {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""},
        "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False},
        "TimeoutSeconds": command.seconds,
    }


def _need(ctx: Ctx, command_id: str) -> Command:
    found = ctx.db[Command].get(command_id)
    if found is None:
        raise AwsError("InvalidCommandId", "")
    return found


@op("ListCommands")
def list_commands(ctx: Ctx, req: View) -> View:
    """Commands, newest first."""
    commands = [_need(ctx, req["CommandId"])] if req.get("CommandId") else ctx.db[Command].all()
    if req.get("InstanceId"):
        mine = {one.command_id for one in ctx.db[Invocation].all(instance_id=req["InstanceId"])}
        commands = [one for one in commands if one.id in mine]
    for wanted in req.get("Filters") or ():
        commands = [one for one in commands if _admits(wanted, one, one.status)]
    commands.sort(key=lambda one: (one.requested, one.id), reverse=True)
    return {"Commands": [_show(ctx, one) for one in commands]}


def _admits(wanted: View, command: Command, status: str) -> bool:
    key, value = str(wanted["key"]), str(wanted["value"])
    requested = command.requested.strftime("%Y-%m-%dT%H:%M:%SZ")
    if key == "InvokedAfter":
        return requested >= value
    if key == "InvokedBefore":
        return requested <= value
    if key == "Status":
        return status == value
    if key == "DocumentName":
        return command.document == value
    stage = "Executing" if status in OPEN else "Complete"
    return stage == value


@op("ListCommandInvocations")
def list_command_invocations(ctx: Ctx, req: View) -> View:
    """Commands by node."""
    if req.get("CommandId"):
        _need(ctx, req["CommandId"])
        known = ctx.db[Invocation].all(command_id=req["CommandId"])
    else:
        known = ctx.db[Invocation].all()
    if req.get("InstanceId"):
        known = [one for one in known if one.instance_id == req["InstanceId"]]
    pairs = [(one, ctx.db[Command].need(one.command_id)) for one in known]
    for wanted in req.get("Filters") or ():
        pairs = [(one, command) for one, command in pairs if _admits(wanted, command, one.status)]
    pairs.sort(key=lambda pair: (pair[1].requested, pair[0].id), reverse=True)
    detailed = bool(req.get("Details"))
    return {"CommandInvocations": [_show_invocation(one, command, detailed) for one, command in pairs]}


def _show_invocation(one: Invocation, command: Command, detailed: bool) -> View:
    return {
        "CommandId": command.id,
        "InstanceId": one.instance_id,
        "InstanceName": one.instance_name,
        "Comment": command.comment,
        "DocumentName": command.document,
        "DocumentVersion": command.version,
        "RequestedDateTime": command.requested,
        "Status": one.status,
        "StatusDetails": one.details,
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "CommandPlugins": [_show_step(done) for done in _steps(one, command)] if detailed else [],
        "ServiceRole": "",
        "NotificationConfig": {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""},
        "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False},
    }


def _steps(one: Invocation, command: Command) -> list[Done]:
    """What was done, and what is under way or to be done."""
    found = list(one.done)
    for work in command.work[len(found) :]:
        if one.status not in OPEN:
            found.append(Done(name=work.name, status=one.status, details=one.details))
        elif len(found) == len(one.done) and one.began is not None:
            found.append(Done(name=work.name, status=RUNNING, details=RUNNING, began=one.began))
        else:
            found.append(Done(name=work.name, status=PENDING, details=PENDING))
    return found


def _show_step(done: Done) -> View:
    return {
        "Name": done.name,
        "Status": done.status,
        "StatusDetails": done.details,
        "ResponseCode": done.code,
        "ResponseStartDateTime": done.began,
        "ResponseFinishDateTime": done.ended,
        "Output": outputs.listed(done.out, done.err),
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "OutputS3Region": None,
        "OutputS3BucketName": "",
        "OutputS3KeyPrefix": "",
    }


@op("GetCommandInvocation")
def get_command_invocation(ctx: Ctx, req: View) -> View:
    """How a step went on a node; the step must be named where there are several."""
    command = ctx.db[Command].get(req["CommandId"])
    one = ctx.db[Invocation].get(invocation_key(req["CommandId"], req["InstanceId"]))
    if command is None or one is None:
        raise AwsError("InvocationDoesNotExist", "")
    done = _asked(req.get("PluginName") or "", one, command)
    return {
        "CommandId": command.id,
        "InstanceId": one.instance_id,
        "Comment": command.comment,
        "DocumentName": command.document,
        "DocumentVersion": command.version,
        "PluginName": done.name,
        "ResponseCode": done.code,
        "ExecutionStartDateTime": outputs.instant(done.began),
        "ExecutionElapsedTime": outputs.elapsed(done.began, done.ended),
        "ExecutionEndDateTime": outputs.instant(done.ended),
        "Status": done.status,
        "StatusDetails": done.details,
        "StandardOutputContent": done.out,
        "StandardOutputUrl": "",
        "StandardErrorContent": done.err,
        "StandardErrorUrl": "",
        "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False},
    }


def _asked(name: str, one: Invocation, command: Command) -> Done:
    steps = _steps(one, command)
    if name:
        found = next((step for step in steps if step.name == name), None)
        if found is None:
            raise AwsError("InvalidPluginName", "")
        return found
    if len(steps) == 1:
        return steps[0]
    began, ended = steps[0].began, steps[-1].ended
    return Done(name="", status=one.status, details=one.details, began=began, ended=ended)


@op("CancelCommand")
def cancel_command(ctx: Ctx, req: View) -> View:
    """Stop a command where it has not ended, everywhere or on some nodes."""
    command = _need(ctx, req["CommandId"])
    wanted = set(req.get("InstanceIds") or ())
    known = ctx.db[Invocation].all(command_id=command.id)
    strange = wanted - {one.instance_id for one in known}
    if strange:
        raise AwsError("InvalidInstanceId", f"Instances {sorted(strange)} have no part in this command.")
    for one in known:
        if one.status in OPEN and (not wanted or one.instance_id in wanted):
            status = CANCELLING if one.status == RUNNING else one.status
            ctx.db[Invocation].put(replace(one, cancelled=True, status=status, details=status))
    if not wanted and command.status in OPEN:
        ctx.db[Command].put(replace(command, cancelled=True, status=CANCELLING, details=CANCELLING))
    return {}
