"""Serial consoles: what is typed at an instance's console, and what it says, over a stream of the jar's own.

The command line comes in here (`cloudjar console`), past the admin token: whoever may read the data directory. The
account must allow serial consoles, and there is one session for an instance at a time, as on AWS.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-serial-console.html
"""

from __future__ import annotations

from functools import partial
from typing import Any

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.streams import Outlet, opens
from cloudjar.planes.compute.inside import Inside, Line, entrance
from cloudjar.services.ec2.instances.defaults import defaults
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.wire.message import Request

PATH = "/_cloudjar/serial/"
_TAKEN = "ec2-serial-consoles"


@opens(PATH)
def serial_console(world: World, request: Request) -> Console:
    """Somebody at the console of an instance."""
    instance_id = request.path.removeprefix(PATH)
    caller = service_caller("ec2.amazonaws.com", "")
    vm = Ctx(world, "", "", caller).db.find(Instance, instance_id)
    if vm is None:
        raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist", 404)
    if not defaults(Ctx(world, vm.account, vm.region, caller)).serial_console:
        raise AwsError(
            "SerialConsoleAccessDisabledException", "Your account is not authorized to use the EC2 serial console.", 403
        )
    plane = entrance(world.ports["compute"])
    if vm.state != "running" or plane is None or not plane.enterable(vm.id):
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

    def received(self, data: bytes | str) -> None:
        """What is typed."""
        if self._line is not None and isinstance(data, bytes):
            self._line.write(data)

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
