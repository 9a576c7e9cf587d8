"""The agent of an instance: there when its guest is up, able to speak when its role lets it.

No program of ours or Amazon's runs in the guest for it: what the agent would do, the jar does, and only what the role
of the instance's profile allows, asked of IAM as for any call.

https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol, cast

from cloudjar.auth.authorize import Authorizer
from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant
from cloudjar.kit.record import Record, arn_of, by_noun
from cloudjar.planes.compute.inside import Inside, entrance

VERSION = "3.3.987.0"
"""The agent whose protocol is spoken: it multiplexes ports, without keep-alives."""
REPORT = ("ssm:UpdateInstanceInformation",)
TALK = (
    "ssmmessages:CreateControlChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenDataChannel",
)
_PING = timedelta(minutes=5)
_LIFETIME = timedelta(minutes=50)


class Instance(Protocol):
    """What is read of EC2's record."""

    id: str
    account: str
    region: str
    state: str
    image_key: str
    private_ip: str
    launched: datetime
    profile: Any
    tags: dict[str, str]


# Stateless sessions: what is remembered is only a saving.
_SESSIONS: dict[tuple[str, str], tuple[datetime, Caller]] = {}
_REMEMBERED = 4096


def instance(ctx: Ctx, instance_id: str) -> Instance | None:
    """An instance of the caller's account and region."""
    found = ctx.find("ec2", "instance", instance_id)
    return None if found is None else cast(Instance, found)


def instances(ctx: Ctx) -> list[Instance]:
    """Every instance here, oldest first."""
    ctx.world.load("ec2")
    declared = by_noun("ec2", "instance")
    if declared is None:
        return []
    found: list[Any] = ctx.db[declared.type].all()
    return sorted(found, key=lambda vm: (vm.launched, vm.id))


def instance_arn(vm: Instance) -> str:
    """Its ARN."""
    return arn_of(cast(Record, vm))


def inside(ctx: Ctx) -> Inside | None:
    """The compute plane as one that reaches inside guests."""
    return entrance(ctx.world.ports["compute"])


def is_up(ctx: Ctx, vm: Instance) -> bool:
    """Whether its guest runs and can be entered."""
    plane = inside(ctx)
    return vm.state == "running" and plane is not None and plane.enterable(vm.id)


def may(ctx: Ctx, vm: Instance, *actions: str) -> bool:
    """Whether the instance's own role allows all these actions; no role, no permission."""
    caller = _session(ctx, vm)
    if caller is None:
        return False
    authorize: Authorizer = ctx.world.ports["authorize"]
    arn = instance_arn(vm)
    keys = {"ec2:sourceinstancearn": arn, "ssm:sourceinstancearn": arn}
    asking = Ctx(ctx.world, vm.account, vm.region, caller)
    try:
        authorize(asking, "ssm", [Grant(a, arn if a.startswith("ssm:") else "*", keys) for a in actions])
    except AwsError:
        return False
    return True


def reports(ctx: Ctx, vm: Instance) -> bool:
    """A managed node that is online."""
    return is_up(ctx, vm) and may(ctx, vm, *REPORT)


def connects(ctx: Ctx, vm: Instance) -> bool:
    """One whose agent also keeps a channel open for sessions."""
    return is_up(ctx, vm) and may(ctx, vm, *TALK)


def last_ping(ctx: Ctx, vm: Instance) -> datetime:
    """When an agent that is online has last reported: it does every five minutes."""
    return ctx.now - (ctx.now - vm.launched) % _PING


def _session(ctx: Ctx, vm: Instance) -> Caller | None:
    """The session of the instance's role, as EC2 gives it to the guest."""
    role = _role(ctx, vm)
    if not role:
        return None
    held = _SESSIONS.get((vm.id, role))
    if held is not None and ctx.now < held[0]:
        return held[1]
    try:
        caller = ctx.as_role(role, service="ec2.amazonaws.com", session_name=vm.id)
    except AwsError:
        return None
    if len(_SESSIONS) >= _REMEMBERED:
        _SESSIONS.clear()
    _SESSIONS[vm.id, role] = (ctx.now + _LIFETIME, caller)
    return caller


def _role(ctx: Ctx, vm: Instance) -> str:
    """The role of its profile; empty when there is none (any more)."""
    parsed = arns.parse(vm.profile.arn) if vm.profile is not None else None
    if parsed is None:
        return ""
    profile: Any = ctx.find("iam", "instance-profile", parsed.name.rpartition("/")[2])
    role = ctx.find("iam", "role", profile.role) if profile is not None and profile.role else None
    return "" if role is None else arn_of(role)
