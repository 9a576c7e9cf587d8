"""Serial consoles: what is typed at an instance's console, and what it says, over a stream of the jar's own or SSH.

The command line comes in by the stream (`cloudjar console`), past the admin token: whoever may read the data directory.
Everybody else comes by SSH as on AWS, as the user ``INSTANCE.port0``, with a key that EC2 Instance Connect was given.
The account must allow serial consoles, and there is one session for an instance at a time.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-serial-console.html
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Protocol, cast

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.streams import Outlet, opens, receives
from cloudjar.planes.compute.inside import Inside, Line, entrance
from cloudjar.services.ec2.instances.defaults import defaults
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.wire.message import Request

PATH = "/_cloudjar/serial/"
_TAKEN = "ec2-serial-consoles"
_EARLY = 64 << 10


class Keys(Protocol):
    """What is read of EC2 Instance Connect's record."""

    def admits(self, user: str, key: str, now: datetime) -> bool: ...


@opens(PATH)
def serial_console(world: World, request: Request) -> Console:
    """Somebody at the console of an instance."""
    return _seat(world, request.path.removeprefix(PATH))


@receives
class BySsh:
    """Users of SSH: ``i-0123456789abcdef0.port0``."""

    def may(self, world: World, user: str, key: str) -> bool:
        """For as long as EC2 Instance Connect says."""
        instance_id, _, port = user.partition(".")
        ctx = _context(world, instance_id)
        if ctx is None:
            return False
        held = cast("Keys | None", ctx.find("ec2-instance-connect", "serial-keys", instance_id))
        return held is not None and held.admits(port, key, ctx.now)

    def seat(self, world: World, user: str) -> Console:
        """The console of the instance, if it is free."""
        return _seat(world, user.partition(".")[0])


def _context(world: World, instance_id: str) -> Ctx | None:
    """A context where an instance is; None when there is none."""
    caller = service_caller("ec2.amazonaws.com", "")
    vm = Ctx(world, "", "", caller).db.find(Instance, instance_id)
    return Ctx(world, vm.account, vm.region, caller) if vm is not None else None


def _seat(world: World, instance_id: str) -> Console:
    ctx = _context(world, instance_id)
    vm = ctx.db[Instance].get(instance_id) if ctx is not None else None
    if ctx is None or vm is None:
        raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist", 404)
    if not defaults(ctx).serial_console:
        raise AwsError(
            "SerialConsoleAccessDisabledException", "Your account is not authorized to use the EC2 serial console.", 403
        )
    plane = entrance(world.ports["compute"])
    if vm.state != "running" or plane is None or not plane.has_console(vm.id):
        raise AwsError("EC2InstanceStateInvalidException", f"There is nobody at the console of {vm.id}.", 409)
    taken: set[str] = world.ports.setdefault(_TAKEN, set())
    if vm.id in taken:
        raise AwsError("SerialConsoleSessionLimitExceededException", f"{vm.id} has a serial console session.", 409)
    return Console(plane, vm.id, taken)


class Console:
    """One session."""

    def __init__(self, plane: Inside, instance_id: str, taken: set[str]) -> None:
        self._plane, self._id, self._taken = plane, instance_id, taken
        self._outlet: Outlet | None = None
        self._line: Line | None = None
        self._gone = False
        self._early = b""

    def began(self, outlet: Outlet) -> None:
        """Have the console opened."""
        self._outlet = outlet
        self._taken.add(self._id)
        outlet.apart(lambda: self._plane.open_console(self._id, self), self._opened)

    def _opened(self, line: Any) -> None:
        assert self._outlet is not None
        if isinstance(line, Exception):
            self._outlet.close(1011, str(line))
        elif self._gone:
            line.hang_up()
        else:
            self._line = line
            line.write(self._early)

    def received(self, data: bytes | str) -> None:
        """What is typed; until the console is there a little of it is kept."""
        if not isinstance(data, bytes):
            return
        if self._line is not None:
            self._line.write(data)
        elif len(self._early) + len(data) <= _EARLY:
            self._early += data

    def room(self) -> None:
        """The client keeps up again."""
        if self._line is not None:
            self._line.pause(waiting=False)

    def over(self) -> None:
        """The client has gone; the console stays."""
        self._gone = True
        self._taken.discard(self._id)
        if self._line is not None:
            self._line.hang_up()

    # -- what the line calls, from the plane's thread
    def said(self, data: bytes) -> None:
        """Output of the console."""
        assert self._outlet is not None
        self._outlet.soon(partial(self._show, data))

    def complained(self, data: bytes) -> None:
        """A console has one output."""
        self.said(data)

    def ended(self, _code: int) -> None:
        """The machine has gone down."""
        assert self._outlet is not None
        self._outlet.soon(self._outlet.close)

    def _show(self, data: bytes) -> None:
        assert self._outlet is not None
        self._outlet.send(data)
        if self._outlet.full and self._line is not None:
            self._line.pause(waiting=True)
