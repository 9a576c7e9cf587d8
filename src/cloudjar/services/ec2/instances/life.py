"""The life of an instance, and the hand that the host has in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePath

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Machine, Step, on_boot, reconciler
from cloudjar.planes.compute.port import ComputePort, MachineSpec
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.ec2 import naming
from cloudjar.services.ec2.dhcp_options import rules as dhcp
from cloudjar.services.ec2.dhcp_options.records import DhcpOptions
from cloudjar.services.ec2.instances.leases import LEASE
from cloudjar.services.ec2.instances.reached import CHECK, keep
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.layout import lay_out
from cloudjar.services.ec2.metering.records import Load
from cloudjar.services.ec2.network_interfaces.life import release_interfaces, restore_interfaces
from cloudjar.services.ec2.root_volumes.life import forget_tasks, give_up_replacing, replace_root
from cloudjar.services.ec2.volumes import keys
from cloudjar.services.ec2.volumes.life import disk, freed
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.services.ec2.volumes.rules import point
from cloudjar.services.ec2.vpcs.records import Vpc
from cloudjar.spec import instance_types

LIFE = Machine(
    Instance,
    start="pending",
    source="aws.ec2",
    event="EC2 Instance State-change Notification",
    event_key="instance-id",
    moves="""
    pending       -> running | shutting-down | stopping
    running       -> stopping | shutting-down
    stopping      -> stopped | shutting-down
    stopped       -> pending | shutting-down
    shutting-down -> terminated
    """,
)

REMEMBERED = timedelta(hours=1)
"""How long a terminated instance is still listed."""

BOOT = "boot"
"""Purpose of the wake-up after this server starts: what should run and does not was lost with the host."""


@reconciler(Instance)
def converge(step: Step, vm: Instance | None) -> None:
    """One look: bring the machine to the state that the record is in, then move the record on."""
    host: ComputePort = step.port("compute")
    if vm is None:
        host.remove(step.key)
        return
    match vm.state:
        case "pending" if not all(keys.is_open(step.ctx, v) for v in step.db[Volume].all(instance_id=vm.id)):
            _give_up(step)
        case "pending" | "running" if step.world.faults.is_off(vm.id, vm.zone, vm.account):
            host.stop(vm.id, force=True)  # it boots when the power is back: `power.power_changed`
        case "pending":
            _start(step, vm, host)
            step.move(LIFE, "pending", "running", rebooted=vm.reboots)
        case "running":
            _keep(step, vm, host)
        case "stopping":
            give_up_replacing(step, vm)
            host.stop(vm.id, force=vm.forced)
            _rest(step)
        case "stopped":
            if host.look(vm.id) == "up":
                host.stop(vm.id, force=True)
        case "shutting-down":
            _terminate(step, vm, host)
        case "terminated":
            _forget(step, vm)


def _start(step: Step, vm: Instance, host: ComputePort) -> None:
    key = _root(step, vm).image_key or vm.image_key
    image = host.images().get(key)
    if image is not None and not image.ready:
        host.prepare_image(key)  # the first launch on a host waits a minute or two for it
    lay_out(step, vm.vpc_id)
    host.start(machine_spec(step, vm))


def _give_up(step: Step) -> None:
    """The key of an encrypted volume cannot be used: a launch ends, and what was started is stopped again."""
    with step.world.state.database.transaction():
        now = step.db[Instance].get(step.key)
        if now is not None and now.state == "pending":
            first = now.launched == now.created
            LIFE.move(
                step.ctx,
                now,
                "shutting-down" if first else "stopping",
                state_code="Client.InternalError",
                state_reason="Client.InternalError: Client error on launch",
                transition_reason="",
            )


def machine_spec(step: Step, vm: Instance) -> MachineSpec:
    """What the compute plane is told of an instance."""
    network: NetworkPort = step.port("network")
    kind = instance_types.size(vm.type)
    volumes, root = step.db[Volume].all(instance_id=vm.id), _root(step, vm)
    lease = _lease(step, vm)
    return MachineSpec(
        id=vm.id,
        image=root.image_key or vm.image_key,
        network=PurePath(network.guest_path(vm.id)).name,
        resolver=lease.resolvers[0] if lease.resolvers else "",
        fallbacks=lease.resolvers[1:],
        domain=lease.domain,
        time_servers=lease.time_servers,
        vcpus=vm.cpu.cores * vm.cpu.threads if vm.cpu is not None else kind.vcpus,
        cpu_share=_cpu_share(step, vm),
        driver=vm.driver,
        memory_mib=kind.memory_mib,
        hostname=naming.host_name(vm.hostname_type, vm.region, vm.id, vm.private_ip).partition(".")[0],
        root=disk(root),
        disks=tuple(disk(v) for v in volumes if v.id != root.id and v.attachment not in ("detaching", "busy")),
    )


def _root(step: Step, vm: Instance) -> Volume:
    """What an instance boots from."""
    for volume in step.db[Volume].all(instance_id=vm.id):
        if point(volume.device) == point(vm.root_device):
            return volume
    raise PlaneError(f"instance {vm.id} has no volume attached at its root device {vm.root_device}")


def _lease(step: Step, vm: Instance) -> dhcp.Told:
    """What the VPC's DHCP options tell an instance."""
    vpc = step.db[Vpc].need(vm.vpc_id)
    options = step.db[DhcpOptions].get(vpc.dhcp_options_id)
    return dhcp.told(None if options is None else options.options, vpc.cidrs[0].cidr)


def _cpu_share(step: Step, vm: Instance) -> float:
    """Less than all of its CPUs for a burstable machine that was out of credits when it was stopped."""
    burst, load = instance_types.burst(vm.type), step.db[Load].get(vm.id)
    held = burst is not None and load is not None and load.limited and vm.credits != "unlimited"
    return burst.baseline if burst is not None and held else 1.0


def _keep(step: Step, vm: Instance, host: ComputePort) -> None:
    """A running instance whose machine is not: lost with the host, or shut down from inside."""
    if replace_root(step, vm, host, _start):
        _booted(step, vm)
        return
    if host.look(vm.id) == "up":
        _give_disks(step, vm, host)
        if step.wake.purpose == CHECK:
            keep(step, vm, host)
        if vm.interrupted < vm.interrupts:
            _interrupt(step, vm, host)
        if step.wake.purpose == LEASE:
            host.renew(machine_spec(step, vm))
        if vm.rebooted < vm.reboots:
            host.renew(machine_spec(step, vm))
            host.reboot(vm.id)
            _booted(step, vm)
        return
    booting = step.wake.purpose == BOOT or step.world.state.wakes.expects(step.wake, BOOT)
    if booting and not host.powered_off(vm.id):
        _start(step, vm, host)
        _booted(step, vm)
        return
    ctx = step.ctx
    with step.world.state.database.transaction():
        now = ctx.db[Instance].get(vm.id)
        if now is None or now.state != "running":
            return
        begin_end(ctx, now, terminate=now.shutdown_behavior == "terminate", by_guest=True)


def _give_disks(step: Step, vm: Instance, host: ComputePort) -> None:
    """Volumes that were attached while the machine was booting: it has them now at the latest."""
    for volume in step.db[Volume].all(instance_id=vm.id):
        if volume.attachment == "attached" and point(volume.device) != point(vm.root_device):
            host.attach(vm.id, disk(volume))


def _interrupt(step: Step, vm: Instance, host: ComputePort) -> None:
    """One interrupt for all that were asked for since the last: an earlier one crashes or reboots most systems."""
    step.change(Instance, lambda now: replace(now, interrupted=vm.interrupts))
    host.interrupt(vm.id)


def _booted(step: Step, vm: Instance) -> None:
    """Whatever booted it, the reboots that were asked for until then are done."""
    step.change(Instance, lambda now: replace(now, rebooted=vm.reboots))


def begin_end(
    ctx: Ctx, vm: Instance, *, terminate: bool, by_guest: bool = False, forced: bool = False
) -> Instance:
    """Set an instance on its way to stopped or terminated; it keeps its network until it is down.

    `forced`: the power is cut, the guest is not asked to shut down first.
    """
    if by_guest:
        code, reason = (
            "Client.InstanceInitiatedShutdown",
            "Client.InstanceInitiatedShutdown: Instance initiated shutdown",
        )
        transition = ""
    else:
        code, reason = "Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"
        transition = f"User initiated ({ctx.now:%Y-%m-%d %H:%M:%S} GMT)"
    return LIFE.move(
        ctx,
        vm,
        "shutting-down" if terminate else "stopping",
        state_code=code,
        state_reason=reason,
        transition_reason=transition,
        forced=forced,
    )


def _rest(step: Step) -> None:
    """The machine is down: a lent public address goes back, and the record rests in ``stopped``."""
    with step.world.state.database.transaction():
        now = step.db[Instance].get(step.key)
        if now is not None and now.state == "stopping":
            release_interfaces(step.ctx, now.id, forever=False)
            LIFE.move(step.ctx, now, "stopped")


def begin_start(ctx: Ctx, vm: Instance) -> Instance:
    """Set a stopped instance on its way to running; a subnet that lends public addresses lends a new one."""
    restore_interfaces(ctx, vm.id)
    return LIFE.move(ctx, vm, "pending", launched=ctx.now, state_code="", state_reason="", transition_reason="")


def _terminate(step: Step, vm: Instance, host: ComputePort) -> None:
    give_up_replacing(step, vm)
    host.remove(vm.id)
    for volume in step.db[Volume].all(instance_id=vm.id):
        keys.release(step.ctx, volume)
    with step.world.state.database.transaction():
        now = step.db[Instance].get(vm.id)
        if now is None or now.state != "shutting-down":
            return
        let_go_of_volumes(step.ctx, vm.id)
        release_interfaces(step.ctx, vm.id, forever=True)
        ended = step.world.clock.now()
        LIFE.move(step.ctx, now, "terminated", ended=ended, private_ip="", vpc_id="", subnet_id="", profile=None)
    step.again("forget", ended + REMEMBERED)


def let_go_of_volumes(ctx: Ctx, instance_id: str) -> None:
    """Volumes of a terminated instance: gone (their data by their own reconciler), or free when they were to stay."""
    for volume in ctx.db[Volume].all(instance_id=instance_id):
        if volume.delete_on_termination:
            ctx.db[Volume].drop(volume)
        else:
            ctx.db[Volume].put(freed(volume))


def _forget(step: Step, vm: Instance) -> None:
    if vm.ended is not None and step.world.clock.now() >= vm.ended + REMEMBERED:
        with step.world.state.database.transaction():
            now = step.db[Instance].get(vm.id)
            if now is not None and now.state == "terminated":
                forget_tasks(step.ctx, now.id)
                step.db[Instance].drop(now)


@on_boot("ec2")
def at_start(world: World) -> None:
    """Wake every instance that is not at rest, and remove machines that belong to nobody."""
    state = world.state
    known = set()
    for vm in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(Instance):
        if vm.state == "terminated":
            continue
        known.add(vm.id)
        if vm.state != "stopped":
            state.wakes.wake("ec2/instance", vm.account, vm.region, vm.id, purpose=BOOT)
    sweep(world, known)


def went_down(world: World, machine_id: str) -> None:
    """The host says that a machine is down: have its record looked at."""
    vm = Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.find(Instance, machine_id)
    if vm is not None:
        with world.state.database.transaction():
            world.state.wakes.wake("ec2/instance", vm.account, vm.region, vm.id, purpose="host")


def sweep(world: World, known: set[str]) -> None:
    """Remove instances' machines without a record: what a crash left between the host and the database."""
    host: ComputePort = world.ports["compute"]
    try:
        strangers = {machine for machine in host.machines() if machine.startswith("i-")} - known
    except PlaneError:
        return
    for machine_id in strangers:
        host.remove(machine_id)
