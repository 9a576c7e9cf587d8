"""The API at VPC endpoints: who comes by one is known by it."""

from __future__ import annotations

import asyncio
import os
import socket

from cloudjar.gateway.endpoints import VpcEndpoints
from cloudjar.wire.message import Request, Response
from tests.gateway.live import Live, answers, read_all


def told(request: Request) -> Response:
    body = f"{request.vpc} {request.vpce} {request.peer} {request.trusted}".encode()
    return Response(200, [("content-type", "text/plain")], body)


def listening() -> socket.socket:
    s = socket.socket()
    s.setblocking(False)
    s.bind(("127.0.0.1", 0))
    s.listen()
    return s


def ask(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        (answer,) = answers(read_all(client))
        return answer.body


async def _here() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_requests_know_their_vpc_and_endpoint_and_sockets_come_and_go() -> None:
    endpoints = VpcEndpoints()
    early, late, never = listening(), listening(), listening()
    ports = [s.getsockname()[1] for s in (early, late, never)]
    unused = never.detach()
    endpoints.attach("vpc-1", "vpce-1", early.detach())
    endpoints.attach("vpc-1", "vpce-3", unused)
    endpoints.detach("vpce-3")
    try:
        os.fstat(unused)
        raise AssertionError("the descriptor is still open")
    except OSError:
        pass
    with Live(told) as live:
        loop = live.server._loop
        assert loop is not None
        endpoints.serve_on(live.server, loop, None)
        endpoints.attach("vpc-2", "vpce-2", late.detach())
        assert ask(ports[0]) == b"vpc-1 vpce-1 127.0.0.1 False"
        assert ask(ports[1]) == b"vpc-2 vpce-2 127.0.0.1 False"
        assert ask(live.port) == b"vpc-1  127.0.0.1 True"
        endpoints.detach("vpce-2")
        asyncio.run_coroutine_threadsafe(_here(), loop).result(20)  # the loop has had its turn
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", ports[1])) != 0
        assert ask(ports[0]) == b"vpc-1 vpce-1 127.0.0.1 False"
        endpoints.detach("vpce-1")
        asyncio.run_coroutine_threadsafe(_here(), loop).result(20)
