"""The VPC resolver: base plus two and 169.254.169.253, port 53, for every VPC in one thread.

The sockets are opened inside the VPCs by the network plane and handed in. What is not the VPC's own
name is asked of the host's resolvers, from the host: so guests resolve whatever the host resolves.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from ipaddress import IPv4Network, ip_address
from pathlib import Path
from typing import cast

import msgspec
from dnslib import AAAA, PTR, QTYPE, RCODE, RR, SOA, A, DNSError, DNSHeader, DNSQuestion, DNSRecord

from cloudjar.planes.dns.names import HOST, TTL, ExtraNames, Known, lookup, outside
from cloudjar.planes.network.port import Vpc
from cloudjar.planes.network.sixfour import asks_for_both, made_up, spelled

PORT = 53
"""Where the host's resolvers listen."""
_RESOLV_CONF = Path("/etc/resolv.conf")
_PATIENCE = 2.0
"""Seconds that one of the host's resolvers is given."""
_IDLE = 10.0
_MOST_AT_ONCE = 256
_PLAIN_UDP = 512
Sockets = tuple[socket.socket, socket.socket]


class Resolver:
    """All VPCs' resolvers. Thread-safe; the thread starts with the first VPC."""

    def __init__(self, pool: str, extra: ExtraNames | None = None, resolv_conf: Path = _RESOLV_CONF) -> None:
        """`pool` holds the public addresses; `extra` is asked for every name that is none of the VPC's own."""
        self._pool = IPv4Network(pool)
        self._extra = extra
        self._resolv_conf = resolv_conf
        self._served: dict[str, _Served] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def missing(self, vpc_id: str, addresses: tuple[str, ...]) -> list[str]:
        """Which of the addresses have no sockets yet."""
        with self._lock:
            served = self._served.get(vpc_id)
            return [a for a in addresses if served is None or a not in served.doors]

    def serve(self, vpc: Vpc, addresses: tuple[str, ...], opened: dict[str, Sockets]) -> None:
        """Answer for this VPC at these addresses; `opened` are bound (UDP, listening TCP) sockets, now ours."""
        with self._lock:
            served = self._served.setdefault(vpc.id, _Served(vpc, {}))
            served.vpc = vpc
            if opened or served.doors.keys() - set(addresses):
                self._run(self._rearrange(served, addresses, opened))

    def serve_host(self, addresses: tuple[str, ...], opened: dict[str, Sockets]) -> None:
        """Answer the host itself at these addresses, as `serve` does for a VPC."""
        with self._lock:
            served = self._served.setdefault(HOST, _Served(None, {}))
            self._run(self._rearrange(served, addresses, opened))

    def forget(self, vpc_id: str) -> None:
        """Stop answering for a VPC; its sockets are closed on return."""
        with self._lock:
            served = self._served.pop(vpc_id, None)
            if served and served.doors:
                self._run(self._rearrange(served, (), {}))

    def close(self) -> None:
        """Stop answering at all and end the thread."""
        for vpc_id in list(self._served):
            self.forget(vpc_id)
        with self._lock:
            if self._loop and self._thread:
                self._run(_cancel_rest())
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
                self._loop.close()
                self._loop = self._thread = None

    def _run(self, work: Coroutine[None, None, None]) -> None:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="cloudjar-dns", daemon=True)
            self._thread.start()
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _rearrange(self, served: _Served, addresses: tuple[str, ...], opened: dict[str, Sockets]) -> None:
        loop = asyncio.get_running_loop()
        for address in served.doors.keys() - set(addresses):
            datagrams, streams = served.doors.pop(address)
            datagrams.close()
            streams.close()
        for address, (udp, tcp) in opened.items():
            datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self, served), sock=udp)
            streams = await asyncio.start_server(lambda r, w: self._conversation(served, r, w), sock=tcp)
            served.doors[address] = (datagrams, streams)

    async def _conversation(self, served: _Served, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            while True:
                async with asyncio.timeout(_IDLE):
                    length = struct.unpack("!H", await reader.readexactly(2))[0]
                    query = await reader.readexactly(length)
                peer = writer.get_extra_info("peername")
                answer = await self.answer(served.vpc, query, stream=True, asker=peer[0] if peer else "")
                if answer is None:
                    break
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        writer.close()

    async def answer(
        self, vpc: Vpc | None, query: bytes, *, stream: bool = False, asker: str = ""
    ) -> bytes | None:
        """The answer to one query's bytes, asked in a VPC (from the address `asker`) or (None) on the host; None when
        they deserve none."""
        request = _parsed(query)
        if request is None:
            return _refusal(query, RCODE.FORMERR)
        if request.header.qr:
            return None
        if request.header.opcode != 0 or len(request.questions) != 1:
            return _refusal(query, RCODE.NOTIMP)
        name = str(request.q.qname)
        known = lookup(vpc, self._pool, name, self._extra) if vpc else outside(self._pool, name, self._extra)
        both = vpc is not None and request.q.qtype == QTYPE.AAAA and asks_for_both(vpc, asker)
        if known is None:
            told = await self._forward(query, stream=stream)
            if told is not None and both:
                told = await self._with_made_up(request, told, stream=stream)
            return told or _refusal(query, RCODE.SERVFAIL)
        if both:
            known = msgspec.structs.replace(known, addresses=made_up(known.addresses) or known.addresses)
        reply = _reply(request, known)
        packed: bytes = reply.pack()
        if not stream and len(packed) > _room(request):
            packed = reply.truncate().pack()
        return packed

    async def _with_made_up(self, request: DNSRecord, told: bytes, *, stream: bool) -> bytes | None:
        """An answer from elsewhere; without IPv6 addresses, with those that lead to the IPv4 ones (RFC 6147)."""
        heard = _parsed(told)
        if heard is None or heard.header.rcode != RCODE.NOERROR or any(r.rtype == QTYPE.AAAA for r in heard.rr):
            return told
        instead = DNSRecord(DNSHeader(id=request.header.id, rd=1), q=DNSQuestion(request.q.qname, QTYPE.A))
        four = await self._forward(instead.pack(), stream=stream)
        found = _parsed(four) if four else None
        if found is None or not any(r.rtype == QTYPE.A for r in found.rr):
            return told
        reply = request.reply(ra=1, aa=0)
        for r in found.rr:
            reply.add_answer(RR(r.rname, QTYPE.AAAA, ttl=r.ttl, rdata=AAAA(spelled(str(r.rdata))))
                             if r.rtype == QTYPE.A else r)
        packed: bytes = reply.pack()
        return packed if stream or len(packed) <= _room(request) else cast(bytes, reply.truncate().pack())

    async def _forward(self, query: bytes, *, stream: bool) -> bytes | None:
        for server in upstreams(self._resolv_conf):
            ask = _ask_stream if stream else _ask_datagram
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                async with asyncio.timeout(_PATIENCE):
                    return await ask(server, query)
        return None


class _Served:
    """One VPC's value (None: the host's) and its open sockets by address."""

    def __init__(self, vpc: Vpc | None, doors: dict[str, tuple[asyncio.DatagramTransport, asyncio.Server]]) -> None:
        self.vpc = vpc
        self.doors = doors
        self.busy: set[asyncio.Task[None]] = set()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, resolver: Resolver, served: _Served) -> None:
        self.resolver = resolver
        self.served = served
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own is not a subclass in 3.11

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(self.served.busy) >= _MOST_AT_ONCE:
            self._send(_refusal(data, RCODE.SERVFAIL), addr)
            return
        task = asyncio.get_running_loop().create_task(self._serve(data, addr))
        self.served.busy.add(task)
        task.add_done_callback(self.served.busy.discard)

    async def _serve(self, data: bytes, addr: tuple[str, int]) -> None:
        self._send(await self.resolver.answer(self.served.vpc, data, asker=addr[0]), addr)

    def _send(self, answer: bytes | None, addr: tuple[str, int]) -> None:
        if answer and self.transport and not self.transport.is_closing():
            self.transport.sendto(answer, addr)


class _Asking(asyncio.DatagramProtocol):
    """One question to one of the host's resolvers."""

    def __init__(self, query: bytes, answered: asyncio.Future[bytes]) -> None:
        self.query = query
        self.answered = answered

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002 - connected socket
        if data[:2] == self.query[:2] and not self.answered.done():
            self.answered.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answered.done():
            self.answered.set_exception(exc)


async def _ask_datagram(server: str, query: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Asking(query, answered), remote_addr=(server, PORT))
    try:
        transport.sendto(query)
        return await answered
    finally:
        transport.close()


async def _ask_stream(server: str, query: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(server, PORT)
    try:
        writer.write(struct.pack("!H", len(query)) + query)
        length = struct.unpack("!H", await reader.readexactly(2))[0]
        return await reader.readexactly(length)
    finally:
        writer.close()


async def _cancel_rest() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def upstreams(resolv_conf: Path = _RESOLV_CONF) -> list[str]:
    """The host's resolvers, in order; empty when it has none."""
    out = []
    with suppress(OSError):
        for line in resolv_conf.read_text(errors="replace").splitlines():
            words = line.split()
            if len(words) >= 2 and words[0] == "nameserver":
                with suppress(ValueError):
                    out.append(str(ip_address(words[1])))
    return out


def _parsed(query: bytes) -> DNSRecord | None:
    try:
        parsed: DNSRecord = DNSRecord.parse(query)
        return parsed
    except (DNSError, ValueError, IndexError, struct.error):
        return None


def _refusal(query: bytes, code: int) -> bytes | None:
    """The bare header of an answer, with the question's id; None for what is not even a header."""
    if len(query) < 12:
        return None
    flags = struct.unpack_from("!H", query, 2)[0]
    return query[:2] + struct.pack("!H", 0x8080 | flags & 0x7900 | code) + bytes(8)


def _reply(request: DNSRecord, known: Known) -> DNSRecord:
    reply: DNSRecord = request.reply(ra=1, aa=0)
    question = request.q
    if known.pointer and question.qtype in (QTYPE.PTR, QTYPE.ANY):
        reply.add_answer(RR(question.qname, QTYPE.PTR, ttl=TTL, rdata=PTR(known.pointer)))
    elif found := _records(known, question.qtype):
        for kind, rdata in found:
            reply.add_answer(RR(question.qname, kind, ttl=TTL, rdata=rdata))
    else:
        reply.header.rcode = RCODE.NOERROR if known.exists else RCODE.NXDOMAIN
        reply.add_auth(RR(known.zone, QTYPE.SOA, ttl=TTL, rdata=SOA(
            f"ns.{known.zone}", f"hostmaster.{known.zone}", (1, 3600, 900, 604800, TTL))))
    return reply


def _records(known: Known, asked: int) -> list[tuple[int, A | AAAA]]:
    """The address records of a name that were asked for."""
    four: list[tuple[int, A | AAAA]] = [(QTYPE.A, A(a)) for a in known.addresses if ":" not in a]
    six = [(QTYPE.AAAA, AAAA(a)) for a in known.addresses if ":" in a]
    return [one for one in (*four, *six) if asked in (one[0], QTYPE.ANY)]


def _room(request: DNSRecord) -> int:
    """How many bytes of UDP the caller takes."""
    sizes = [int(r.edns_len) for r in request.ar if r.rtype == QTYPE.OPT]
    return max([_PLAIN_UDP, *sizes])
