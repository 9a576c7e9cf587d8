"""Nodes are noticed when their instances come up, and remembered when they go."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import World
from cloudjar.kit.events import hears
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ssm.nodes import agent
from cloudjar.services.ssm.nodes.records import Node


@hears("aws.ec2", "EC2 Instance State-change Notification")
def changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """An instance has another state."""
    world.state.wakes.wake("ssm/node", account, region, detail["instance-id"], purpose="instance")


@reconciler(Node)
def converge(step: Step, node: Node | None) -> None:
    """Remember a node while its instance is there."""
    vm = agent.instance(step.ctx, step.key)
    if vm is None or vm.state == "terminated":
        with step.world.state.database.transaction():
            now = step.db[Node].get(step.key)
            if now is not None:
                step.db[Node].drop(now)
        return
    if step.wake.purpose == "instance":
        remember(step, vm)


def remember(step: Step, vm: agent.Instance) -> None:
    """Note that the node was seen: it runs, or ran until now, and its role lets it report."""
    if vm.state not in ("running", "stopping") or not agent.may(step.ctx, vm, *agent.REPORT):
        return
    if agent.inside(step.ctx) is None or (vm.state == "running" and not agent.is_up(step.ctx, vm)):
        return
    with step.world.state.database.transaction():
        table, known = step.db[Node], step.db[Node].get(vm.id)
        seen = Node(id=vm.id, seen=step.ctx.now)
        if known is None and vm.state == "running":
            table.add(seen)
        elif known is not None:
            table.put(Node(id=vm.id, seen=step.ctx.now, account=known.account, region=known.region))
