"""A live session: the agent's half of Session Manager's protocol, whoever carries it.

A talk outlives its client's connection: what was not acknowledged is said again to the one that resumes it. It lives
on the event loop, and ends with the server; its record says so at the next start.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.streams import Outlet
from cloudjar.planes.compute.inside import Inside, Size
from cloudjar.services.ssm.nodes import agent
from cloudjar.services.ssm.sessions import starting, workers
from cloudjar.services.ssm.sessions.records import ACTIVE, CONNECTED, TERMINATED, Session
from cloudjar.wire import data_channel
from cloudjar.wire.data_channel import Message, Payload

_PIECE = 8 << 10
_WINDOW = 64
"""Messages that may be on their way unacknowledged; then the guest's output waits."""
_AHEAD = 1024
"""Messages that came before their turn and are kept."""
_MUX_AFTER = (1, 1, 70, 0)
"""The last version of the client that does not multiplex."""
_PORT = "ssm-talks"


def talks(world: World) -> dict[str, Talk]:
    """The live sessions of a jar."""
    found: dict[str, Talk] = world.ports.setdefault(_PORT, {})
    return found


class Talk:
    """The agent's side of one session."""

    def __init__(self, world: World, session: Session, plane: Inside) -> None:
        self.world, self.session, self.plane = world, session, plane
        self.active: datetime = world.clock.now()
        """When something was last said, by AWS's clock."""
        self._outlet: Outlet | None = None
        self._any: Outlet | None = None
        self._next_out = 0
        self._next_in = 0
        self._unheard: deque[Message] = deque()
        self._early: dict[int, Message] = {}
        self._worker: workers.Worker | None = None
        self._greeted = False
        self._waiting = False
        self._over = False
        self._last: str | None = None
        self._began = world.clock.real()

    @property
    def target(self) -> str:
        return self.session.target

    # -- connections
    def attach(self, outlet: Outlet, version: str) -> None:
        """A client's connection; an earlier one is closed. A client that tells no version knows no handshake."""
        before, self._outlet, self._any = self._outlet, outlet, outlet
        if before is not None:
            before.close()
        if not self._greeted:
            self._greeted = True
            if version:
                self._greet()
            else:
                self._work((0,))
            return
        for message in self._unheard:
            outlet.send(data_channel.encode(message))

    def detach(self, outlet: Outlet) -> None:
        """The client has gone, and may come back."""
        if self._outlet is outlet:
            self._outlet = None

    def soon(self, work: Callable[[], None]) -> None:
        """Run on the event loop; from any thread."""
        assert self._any is not None
        self._any.soon(work)

    def apart(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Run what may block elsewhere."""
        assert self._any is not None
        self._any.apart(work, then)

    # -- what the agent says
    def send(self, kind: int, payload: bytes) -> None:
        """A piece of the output stream, or several."""
        if self._over:
            return
        self.active = self.world.clock.now()
        for at in range(0, max(len(payload), 1), _PIECE):
            flags = data_channel.SYN if self._next_out == 0 else 0
            message = self._message(data_channel.OUTPUT, payload[at : at + _PIECE], kind, self._next_out, flags)
            self._next_out += 1
            self._unheard.append(message)
            self._put(message)
        self._check_window()

    def _message(self, name: str, payload: bytes, kind: int = 0, sequence: int = 0, flags: int = 0) -> Message:
        created = int(self.world.clock.real().timestamp() * 1000)
        return Message(name, payload, kind, sequence, flags, ids.uuid4(), created)

    def _put(self, message: Message) -> None:
        if self._outlet is not None:
            self._outlet.send(data_channel.encode(message))

    def _check_window(self) -> None:
        full = len(self._unheard) >= _WINDOW
        if full is not self._waiting and self._worker is not None and (full or len(self._unheard) < _WINDOW // 2):
            self._waiting = full
            self._worker.pause(waiting=full)

    def _greet(self) -> None:
        parameters = {"SessionType": self.session.kind, "Properties": self.session.properties or None}
        asked = {
            "AgentVersion": agent.VERSION,
            "RequestedClientActions": [{"ActionType": "SessionType", "ActionParameters": parameters}],
        }
        self.send(Payload.HANDSHAKE_REQUEST, json.dumps(asked).encode())

    # -- what the client says
    def received(self, data: bytes) -> None:
        """One message; what is none is passed over, as a repetition of it may not be."""
        try:
            message = data_channel.decode(data, digest=False)
        except data_channel.Malformed:
            return
        if message.type == data_channel.ACKNOWLEDGE:
            self._acknowledged(message.payload)
        elif message.type == data_channel.INPUT:
            self._input(message)

    def _acknowledged(self, payload: bytes) -> None:
        try:
            sequence = int(json.loads(payload)["AcknowledgedMessageSequenceNumber"])
        except (ValueError, KeyError, TypeError):
            return
        self._unheard = deque(message for message in self._unheard if message.sequence != sequence)
        self._check_window()
        if self._last is not None and not self._unheard:
            self.end(self._last)

    def _input(self, message: Message) -> None:
        if message.sequence > self._next_in and len(self._early) >= _AHEAD:
            return  # not acknowledged, so it will come again
        said = {
            "AcknowledgedMessageType": message.type,
            "AcknowledgedMessageId": message.id,
            "AcknowledgedMessageSequenceNumber": message.sequence,
            "IsSequentialMessage": True,
        }
        self._put(self._message(data_channel.ACKNOWLEDGE, json.dumps(said).encode(), flags=3))
        if message.sequence < self._next_in:
            return
        self._early[message.sequence] = message
        while (due := self._early.pop(self._next_in, None)) is not None:
            self._next_in += 1
            self._take(due)

    def _take(self, message: Message) -> None:
        worker = self._worker
        if message.kind == Payload.HANDSHAKE_RESPONSE and worker is None:
            self._shake(message.payload)
        elif worker is None:
            return
        elif message.kind == Payload.OUTPUT:
            self.active = self.world.clock.now()
            worker.input(message.payload)
        elif message.kind == Payload.SIZE:
            worker.resize(_size(message.payload))
        elif message.kind == Payload.FLAG and len(message.payload) == 4:
            worker.flag(int.from_bytes(message.payload, "big"))

    def _shake(self, payload: bytes) -> None:
        try:
            answer = json.loads(payload)
            failed = [one for one in answer.get("ProcessedClientActions") or () if one.get("ActionStatus") != 1]
            version = _version(str(answer.get("ClientVersion") or ""))
        except (ValueError, AttributeError):
            self.end("The client's handshake cannot be read.")
            return
        if failed:
            self.end("The client does not take part in sessions of this type.")
            return
        took = int((self.world.clock.real() - self._began).total_seconds() * 1e9)
        told = {"HandshakeTimeToComplete": took, "CustomerMessage": ""}
        self.send(Payload.HANDSHAKE_COMPLETE, json.dumps(told).encode())
        self._work(version)

    def _work(self, version: tuple[int, ...]) -> None:
        self._worker = self._made(version)
        self._worker.begin()

    def _made(self, version: tuple[int, ...]) -> workers.Worker:
        session = self.session
        if session.kind == "Port":
            name, port = str(session.properties.get("host") or "localhost"), int(session.properties["portNumber"])
            again = session.properties.get("type") == "LocalPortForwarding"
            if again and version > _MUX_AFTER:
                return workers.Mux(self, name, port)
            return workers.Port(self, name, port, again=again)
        if session.kind == "InteractiveCommands":
            return workers.Shell(self, starting.commands(session.run_as, session.properties))
        if session.kind == "NonInteractiveCommands":
            command = starting.commands(session.run_as, session.properties)
            return workers.Program(self, command, separate=starting.separate(session.properties))
        return workers.Shell(self, starting.shell(session.run_as), session.profile)

    # -- the end
    def finish(self, words: str = "") -> None:
        """The guest's side is over: so is the session, once the client has heard everything."""
        self._last = words
        if not self._unheard:
            self.end(words)

    def end(self, words: str = "") -> None:
        """The session is over now: the client is told, the guest's side hung up, the record closed."""
        if self._over:
            return
        self._over = True
        talks(self.world).pop(self.session.id, None)
        if self._worker is not None:
            self._worker.hang_up()
        told = {
            "MessageId": ids.uuid4(),
            "CreatedDate": self.world.clock.real().isoformat(),
            "DestinationId": "",
            "SessionId": self.session.id,
            "MessageType": data_channel.CLOSED,
            "SchemaVersion": 1,
            "Output": words,
        }
        self._put(self._message(data_channel.CLOSED, json.dumps(told).encode()))
        if self._outlet is not None:
            self._outlet.close()
        close(self.world, self.session, TERMINATED, words)


def connected(world: World, session: Session) -> None:
    """Note that a client has come."""
    ctx = _ctx(world, session)
    with world.state.database.transaction():
        now = ctx.db[Session].get(session.id)
        if now is not None and now.status != CONNECTED and now.status in ACTIVE:
            ctx.db[Session].put(replace(now, status=CONNECTED))


def close(world: World, session: Session, status: str, details: str = "") -> None:
    """Note that a session is over, unless that is known."""
    ctx = _ctx(world, session)
    with world.state.database.transaction():
        now = ctx.db[Session].get(session.id)
        if now is not None and now.status in ACTIVE:
            ctx.db[Session].put(replace(now, status=status, ended=world.clock.now(), details=details))


def _ctx(world: World, session: Session) -> Ctx:
    caller = service_caller("ssm.amazonaws.com", session.account)
    return Ctx(world, session.account, session.region, caller)


def _size(payload: bytes) -> Size:
    try:
        told = json.loads(payload)
        return Size(max(1, min(int(told["rows"]), 2000)), max(1, min(int(told["cols"]), 2000)))
    except (ValueError, KeyError, TypeError):
        return Size()


def _version(text: str) -> tuple[int, ...]:
    parts = text.split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else (0,)
