"""A client of Session Manager, written from the public protocol: the session-manager-plugin without its terminal.

Over a real socket, blocking, with its own half of the WebSocket and of the messages' order.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from cloudjar.wire import data_channel, websocket
from cloudjar.wire.data_channel import Message, Payload

MASK = b"\x11\x22\x33\x44"
UUID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
NEW, OLD = "1.2.707.0", "1.1.50.0"


CONNECTED: list[Client] = []
"""Clients that a test may have left: its fixture closes them."""


class Refused(Exception):
    """The server did not open a WebSocket; its status line."""


class Client:
    """One connection to a session's stream."""

    def __init__(
        self, url: str, token: str, *, version: str = NEW, sent: int = 0, expected: int = 0, context: Any = None
    ) -> None:
        self.version = version
        self.sent, self.expected = sent, expected
        self.out, self.err, self.flags = b"", b"", [0][:0]
        self.exit: str | None = None
        self.greeting: dict[str, Any] = {}
        self.completed = False
        self.closed: dict[str, Any] | None = None
        self.code: int | None = None
        self.acknowledged: list[int] = []
        self.quiet = False
        """Whether to keep acknowledgements back."""
        self._reader = websocket.Reader(masked=False)
        self._wire = connected(url, context)
        CONNECTED.append(self)
        opening = {"MessageSchemaVersion": "1.0", "RequestId": UUID, "TokenValue": token, "ClientId": UUID}
        if version:
            opening["ClientVersion"] = version
        self._frame(websocket.TEXT, json.dumps(opening).encode())

    def _frame(self, kind: int, payload: bytes) -> None:
        self._wire.sendall(websocket.frame(kind, payload, MASK))

    def send(self, payload: bytes, kind: int = Payload.OUTPUT) -> None:
        """Input of the session."""
        flags = data_channel.SYN if self.sent == 0 else 0
        self.put(Message(data_channel.INPUT, payload, kind, self.sent, flags, UUID, 1))
        self.sent += 1

    def put(self, message: Message) -> None:
        """A message as it is."""
        self.raw(data_channel.encode(message))

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self._frame(websocket.BINARY, data)

    def resize(self, rows: int, cols: int) -> None:
        """The terminal's size."""
        self.send(json.dumps({"cols": cols, "rows": rows}).encode(), Payload.SIZE)

    def until(self, wanted: Any) -> None:
        """Take messages until a condition holds; the end of the connection ends it too."""
        while not wanted(self) and self.code is None:
            self._step()
        assert wanted(self), (self.out[-2000:], self.closed, self.code)

    def said(self, text: bytes) -> None:
        """Wait for output."""
        self.until(lambda c: text in c.out)

    def ended(self) -> dict[str, Any]:
        """Wait for the end; the last word."""
        self.until(lambda c: c.code is not None)
        self.close()
        return self.closed or {}

    def shaken(self) -> Client:
        """Take part in the handshake."""
        self.until(lambda c: c.completed)
        return self

    def close(self) -> None:
        """Go without a word."""
        self._wire.close()

    def _step(self) -> None:
        try:
            data = self._wire.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.code = self.code if self.code is not None else 1006
            return
        for kind, payload in self._reader.feed(data):
            if kind == websocket.CLOSE:
                self.code = websocket.close_code(payload)
            elif kind == websocket.BINARY:
                self._message(data_channel.decode(payload))

    def _message(self, message: Message) -> None:
        if message.type == data_channel.ACKNOWLEDGE:
            self.acknowledged.append(json.loads(message.payload)["AcknowledgedMessageSequenceNumber"])
        elif message.type == data_channel.CLOSED:
            self.closed = json.loads(message.payload)
        elif message.type == data_channel.OUTPUT:
            if not self.quiet:
                self._acknowledge(message)
            if message.sequence == self.expected:
                self.expected += 1
                self._take(message)

    def _acknowledge(self, message: Message) -> None:
        told = {
            "AcknowledgedMessageType": message.type,
            "AcknowledgedMessageId": message.id,
            "AcknowledgedMessageSequenceNumber": message.sequence,
            "IsSequentialMessage": True,
        }
        with suppress(BrokenPipeError, ConnectionResetError):  # the server may have said its last word
            self.put(Message(data_channel.ACKNOWLEDGE, json.dumps(told).encode(), flags=3, id=UUID, created=1))

    def _take(self, message: Message) -> None:
        if message.kind == Payload.HANDSHAKE_REQUEST:
            self.greeting = json.loads(message.payload)
            actions = [
                {"ActionType": one["ActionType"], "ActionStatus": 1, "ActionResult": None, "Error": ""}
                for one in self.greeting["RequestedClientActions"]
            ]
            answer = {"ClientVersion": self.version, "ProcessedClientActions": actions, "Errors": None}
            self.send(json.dumps(answer).encode(), Payload.HANDSHAKE_RESPONSE)
        elif message.kind == Payload.HANDSHAKE_COMPLETE:
            self.completed = True
        elif message.kind == Payload.OUTPUT:
            self.out += message.payload
        elif message.kind == Payload.STDERR:
            self.err += message.payload
        elif message.kind == Payload.EXIT_CODE:
            self.exit = message.payload.decode()
        elif message.kind == Payload.FLAG:
            self.flags.append(int.from_bytes(message.payload, "big"))


def opened(answer: dict[str, Any], **more: Any) -> Client:
    """Connect to what StartSession or ResumeSession answered."""
    return Client(answer["StreamUrl"], answer["TokenValue"], **more)


def connected(url: str, context: ssl.SSLContext | None = None, **headers: str) -> socket.socket:
    """A WebSocket, or `Refused`."""
    parts = urlsplit(url)
    wire: socket.socket = socket.create_connection((parts.hostname, parts.port or 80), timeout=60)
    if parts.scheme == "wss":
        assert context is not None
        wire = context.wrap_socket(wire, server_hostname=parts.hostname)
    key = base64.b64encode(b"0123456789abcdef").decode()
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    wire.sendall(f"{head}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = wire.recv(1)
        if not piece:
            break
        answer += piece
    if not answer.startswith(b"HTTP/1.1 101 "):
        wire.close()
        raise Refused(answer.split(b"\r\n")[0].decode())
    assert f"Sec-WebSocket-Accept: {websocket.accept(key)}".encode() in answer
    return wire
