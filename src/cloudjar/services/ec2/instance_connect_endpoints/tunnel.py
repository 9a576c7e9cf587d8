"""Tunnels: a WebSocket at ``/openTunnel`` whose signed address says where to; its binary messages are TCP's bytes.

That is what ``aws ec2-instance-connect open-tunnel`` speaks. The connection begins at the endpoint's own interface: its
security groups, the instance's, network ACLs and routes decide about it as about any.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-ec2-instance-connect-endpoint.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ipaddress import AddressValueError, IPv4Address
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qs

from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.audit import Audit
from cloudjar.kit.audit_event import AuditEvent
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.operation import Grant, keys_of_resource
from cloudjar.kit.record import arn_of
from cloudjar.kit.streams import Outlet, opens
from cloudjar.planes.compute.inside import Line
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.ec2.instance_connect_endpoints.ops import READY
from cloudjar.services.ec2.instance_connect_endpoints.records import ConnectEndpoint
from cloudjar.services.ec2.lookup import FORMS, is_id
from cloudjar.wire.message import Request

T = TypeVar("T")
PATH = "/openTunnel"
PORTS = (22, 3389)
LONGEST = 3600
"""Seconds that a tunnel lasts at most, and by itself."""
MOST = 20
"""Tunnels of an endpoint at a time."""
_SERVICE = "ec2-instance-connect"
_OPEN = "ec2-tunnels"
_EARLY = 64 << 10
_FAILED, _REFUSED = 1011, 1008


class Asked(NamedTuple):
    """What the address of a tunnel says."""

    endpoint_id: str
    address: str
    port: int
    seconds: int


@opens(PATH)
def open_tunnel(world: World, request: Request) -> Tunnel:
    """Who may, gets a tunnel; everybody else AWS's answer."""
    caller, region = _forbidden(lambda: world.ports["authenticate"](request, _SERVICE, None))
    ctx = Ctx(world, caller.account, region, caller, ids.request_id(), request)
    asked: Asked | None = None
    try:
        asked = _read(request)
        endpoint = _allowed(ctx, asked)
    except AwsError as error:
        _record(ctx, caller, asked, error)
        raise
    _record(ctx, caller, asked, None)
    held: set[Tunnel] = _all(world).setdefault(endpoint.id, set())
    if len(held) >= MOST:
        raise AwsError("ThrottlingException", f"{endpoint.id} has {MOST} tunnels.", 429)
    return Tunnel(world.ports["network"], endpoint, asked, held)


def _forbidden(ask: Callable[[], T]) -> T:
    """A refusal is told by the status of the handshake, though the service's other answers are JSON's 400."""
    try:
        return ask()
    except AwsError as error:
        raise AwsError(error.code, error.message, 403) from error


def _all(world: World) -> dict[str, set[Tunnel]]:
    found: dict[str, set[Tunnel]] = world.ports.setdefault(_OPEN, {})
    return found


def _read(request: Request) -> Asked:
    given = {name: values[-1] for name, values in parse_qs(request.query).items()}
    endpoint = given.get("instanceConnectEndpointId", "")
    if not is_id(FORMS["instance-connect-endpoint"][0], endpoint):
        raise _invalid("instanceConnectEndpointId is not the id of an EC2 Instance Connect Endpoint")
    try:
        address = str(IPv4Address(given.get("privateIpAddress", "")))
    except AddressValueError:
        raise _invalid("privateIpAddress is not an IPv4 address") from None
    port, seconds = given.get("remotePort", ""), given.get("maxTunnelDuration", str(LONGEST))
    if not port.isdecimal() or int(port) not in PORTS:
        raise _invalid(f"remotePort must be one of {', '.join(map(str, PORTS))}")
    if not seconds.isdecimal() or not 1 <= int(seconds) <= LONGEST:
        raise _invalid(f"maxTunnelDuration must be between 1 and {LONGEST}")
    return Asked(endpoint, address, int(port), int(seconds))


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameter", message, 400)


def _allowed(ctx: Ctx, asked: Asked) -> ConnectEndpoint:
    """The endpoint, when the caller may open this tunnel from it."""
    endpoint = ctx.db[ConnectEndpoint].get(asked.endpoint_id)
    arn = f"arn:aws:ec2:{ctx.region}:{ctx.account}:instance-connect-endpoint/{asked.endpoint_id}"
    keys: dict[str, Any] = keys_of_resource("ec2", "instance-connect-endpoint", endpoint) if endpoint else {}
    keys |= {
        f"{_SERVICE}:remoteport": str(asked.port),
        f"{_SERVICE}:privateipaddress": asked.address,
        f"{_SERVICE}:maxtunnelduration": str(asked.seconds),
    }
    needed = Grant(f"{_SERVICE}:OpenTunnel", arn_of(endpoint) if endpoint else arn, keys)
    _forbidden(lambda: ctx.world.ports["authorize"](ctx, _SERVICE, [needed]))
    if endpoint is None:
        raise AwsError("ResourceNotFoundException", f"{asked.endpoint_id} does not exist.", 404)
    if endpoint.state not in READY:
        raise AwsError("ConflictException", f"{endpoint.id} is in the state {endpoint.state}.", 409)
    return endpoint


def _record(ctx: Ctx, caller: Caller, asked: Asked | None, error: AwsError | None) -> None:
    """What CloudTrail tells of it."""
    audit: Audit = ctx.world.ports["audit"]
    request = ctx.request
    told = None if asked is None else {
        "instanceConnectEndpointId": asked.endpoint_id, "maxTunnelDuration": asked.seconds,
        "privateIpAddress": asked.address, "remotePort": asked.port,
    }  # fmt: skip
    audit.record(AuditEvent(
        id=ids.uuid4(), time=ctx.now.timestamp(), account=ctx.account, region=ctx.region, service=_SERVICE,
        operation="OpenTunnel", reads=False, caller_kind=caller.kind, caller_arn=caller.arn,
        caller_id=caller.unique_id, caller_name=caller.name, access_key_id=caller.access_key_id,
        source_ip=request.peer if request else "", agent=request.headers.get("user-agent", "") if request else "",
        request_id=ctx.request_id, error_code=error.code if error else "",
        error_message=error.message if error else "", params=told,
    ))  # fmt: skip


def end_all(world: World, endpoint_id: str) -> None:
    """End every tunnel of an endpoint; from any thread."""
    for one in tuple(_all(world).pop(endpoint_id, ())):
        one.end()


class Tunnel:
    """One tunnel."""

    def __init__(self, network: NetworkPort, endpoint: ConnectEndpoint, asked: Asked, held: set[Tunnel]) -> None:
        self._network, self._asked, self._held = network, asked, held
        self._guest = endpoint.interface_id
        self._outlet: Outlet | None = None
        self._line: Line | None = None
        self._gone = False
        self._early = b""
        self._waiting: list[Callable[[], None]] = []

    def began(self, outlet: Outlet) -> None:
        """Have the connection made."""
        self._outlet = outlet
        self._held.add(self)
        to = self._asked
        outlet.apart(lambda: self._network.dial(self._guest, to.address, to.port, self, to.seconds), self._connected)

    def _connected(self, line: Any) -> None:
        assert self._outlet is not None
        if isinstance(line, Exception):
            self._outlet.close(_FAILED, f"Unable to connect to target. {line}")
        elif self._gone:
            line.hang_up()
        else:
            self._line = line
            line.write(self._early)
            for work in self._waiting:
                work()

    def received(self, data: bytes | str) -> None:
        """What the client sends; until there is a connection a little of it is kept."""
        assert self._outlet is not None
        if not isinstance(data, bytes):
            self._outlet.close(_REFUSED, "Tunnels carry binary messages.")
        elif self._line is not None:
            self._line.write(data)
        elif len(self._early) + len(data) <= _EARLY:
            self._early += data
        else:
            self._outlet.close(_REFUSED, "Too much was sent before there was a connection.")

    def room(self) -> None:
        """The client keeps up again."""
        if self._line is not None:
            self._line.pause(waiting=False)

    def over(self) -> None:
        """The client has gone, and so does the connection."""
        self._gone = True
        self._held.discard(self)
        if self._line is not None:
            self._line.hang_up()

    def end(self) -> None:
        """The endpoint goes; from any thread."""
        if self._outlet is not None:
            self._outlet.soon(self._outlet.close)

    # -- what the line calls, from the plane's thread
    def said(self, data: bytes) -> None:
        """What the instance sends."""
        assert self._outlet is not None
        self._outlet.soon(partial(self._once_connected, partial(self._show, data)))

    def complained(self, data: bytes) -> None:
        """A connection has one direction back."""
        self.said(data)

    def ended(self, _code: int) -> None:
        """The instance has closed it, or its time is over."""
        assert self._outlet is not None
        self._outlet.soon(partial(self._once_connected, self._outlet.close))

    def _once_connected(self, work: Callable[[], None]) -> None:
        """An instance may speak before it is known here that it accepted: a client that hears it speaks up at once."""
        if self._line is None:
            self._waiting.append(work)
        else:
            work()

    def _show(self, data: bytes) -> None:
        assert self._outlet is not None
        self._outlet.send(data)
        if self._outlet.full and self._line is not None:
            self._line.pause(waiting=True)
