"""Parameter policies at work: notices go out and parameters expire, each at its time."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ssm import events, lookup, policies
from cloudjar.services.ssm.records import Parameter, Version


@reconciler(Parameter)
def converge(step: Step, parameter: Parameter | None) -> None:
    """Act on every policy that is due, in the order of their times; sleep until the next."""
    if parameter is None or not parameter.policies:
        return
    with step.world.state.database.transaction():
        now = step.db[Parameter].get(parameter.path)
        if now is not None:
            _act(step, now)


def _act(step: Step, parameter: Parameter) -> None:
    pending = [policy for policy in parameter.policies if policy.status == "Pending"]
    pending.sort(key=lambda policy: policies.due(policy, parameter.policies, parameter.modified))
    for policy in pending:
        due = policies.due(policy, parameter.policies, parameter.modified)
        if due > step.ctx.now:
            step.again("policy", due)
            return
        events.acted(step.ctx, parameter, policy)
        if policy.type == policies.EXPIRATION:
            drop(step.ctx, parameter)
            return
        done = tuple(replace(one, status="Finished") if one is policy else one for one in parameter.policies)
        parameter = step.db[Parameter].put(replace(parameter, policies=done))


def drop(ctx: Ctx, parameter: Parameter) -> None:
    """Remove a parameter with its history."""
    db = ctx.db.at(parameter.account, parameter.region)
    for version in lookup.versions(ctx, parameter):
        db[Version].drop(version)
    db[Parameter].drop(parameter)
    events.changed(ctx, parameter, "Delete")
