"""The replacement of a root volume, as far as the host has a part in it: made, swapped while the guest is down, booted.

Carried out by the instance's own reconciler, so that nobody else takes the machine that is down in between for one
that was shut down. Each part is noted before the next begins: a server that dies goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.root_volumes.records import ReplaceRootTask
from cloudjar.services.ec2.volumes import keys
from cloudjar.services.ec2.volumes.life import disk, freed
from cloudjar.services.ec2.volumes.records import Volume

Boot = Callable[[Step, Instance, ComputePort], None]


def replace_root(step: Step, vm: Instance, host: ComputePort, boot: Boot) -> bool:
    """Bring a replacement to its end, if one was asked for: the machine runs on its new root volume afterwards."""
    task = _open(step.ctx, vm.id)
    if task is None:
        return False
    if task.state == "pending":
        _note(step, task, state="in-progress")
    if not task.swapped:
        new = step.db[Volume].get(task.new_volume)
        if new is None or new.instance_id or not keys.is_open(step.ctx, new):
            _end(step, task, "failed")
            return False
        if new.source:
            host.make_volume(disk(new))
        else:
            _need_image(host, new.image_key)
        host.stop(vm.id)
        if not _swap(step, vm, task):
            return True
    boot(step, vm, host)
    _end(step, task, "succeeded")
    return True


def _open(ctx: Ctx, instance_id: str) -> ReplaceRootTask | None:
    return next((task for task in ctx.db[ReplaceRootTask].all(instance_id=instance_id) if task.open), None)


def _need_image(host: ComputePort, key: str) -> None:
    known = host.images().get(key)
    if known is not None and not known.ready:
        host.prepare_image(key)


def _note(step: Step, task: ReplaceRootTask, **changes: object) -> None:
    with step.world.state.database.transaction():
        now = step.db[ReplaceRootTask].get(task.id)
        if now is not None and now.open:
            step.db[ReplaceRootTask].put(replace(now, **changes))


def _swap(step: Step, vm: Instance, task: ReplaceRootTask) -> bool:
    """The new volume takes the old one's place in the records; False when the instance was told to stop meanwhile."""
    before = step.db[Volume].get(task.old_volume)
    with step.world.state.database.transaction():
        now, new = step.db[Instance].get(vm.id), step.db[Volume].get(task.new_volume)
        old = step.db[Volume].get(task.old_volume)
        if now is None or now.state != "running" or new is None or new.instance_id or old is None:
            return False
        step.db[Volume].put(
            replace(new, ready=True, instance_id=vm.id, device=old.device, attachment="attached",
                    attached=step.ctx.now, delete_on_termination=old.delete_on_termination)
        )  # fmt: skip
        if task.delete_old:
            step.db[Volume].drop(old)
        else:
            step.db[Volume].put(freed(old))
        step.db[ReplaceRootTask].put(replace(step.db[ReplaceRootTask].need(task.id), swapped=True))
    if before is not None:
        keys.release(step.ctx, before)
    return True


def _end(step: Step, task: ReplaceRootTask, state: str) -> None:
    with step.world.state.database.transaction():
        conclude(step.ctx, task.id, state)


def conclude(ctx: Ctx, task_id: str, state: str) -> None:
    """The end of a replacement; the volume that was made for one that failed goes."""
    now = ctx.db[ReplaceRootTask].get(task_id)
    if now is None or not now.open:
        return
    ctx.db[ReplaceRootTask].put(replace(now, state=state, completed=ctx.now))
    new = ctx.db[Volume].get(now.new_volume)
    if state == "failed" and now.made and new is not None and not new.instance_id:
        ctx.db[Volume].drop(new)


def give_up_replacing(step: Step, vm: Instance) -> None:
    """An instance that is told to stop or to end: what was swapped is done, what was not comes to nothing."""
    task = _open(step.ctx, vm.id)
    if task is not None:
        _end(step, task, "succeeded" if task.swapped else "failed")


def forget_tasks(ctx: Ctx, instance_id: str) -> None:
    """Replacements are told of as long as their instance is."""
    for task in ctx.db[ReplaceRootTask].all(instance_id=instance_id):
        ctx.db[ReplaceRootTask].drop(task)
