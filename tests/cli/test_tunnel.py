"""`cloudjar tunnel`, as ssh calls it."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

import pytest

from cloudjar.cli.screen import Failure
from cloudjar.cli.tunnel import _carry
from cloudjar.wire import websocket
from tests.cli.terminal import Terminal
from tests.host.proxy.web import until


def carried(*frames: bytes, given: bytes) -> tuple[bytes, bytes]:
    """What comes out when a server sends these frames and `given` is typed; and what the server hears."""
    ours, theirs = socket.socketpair()
    typed, output = os.pipe(), os.pipe()
    os.write(typed[1], given)
    os.close(typed[1])
    heard: list[bytes] = []

    def serve() -> None:
        reader = websocket.Reader(masked=True)
        while b"".join(heard) != given:
            heard.extend(payload for _, payload in reader.feed(theirs.recv(4096)))
        for frame in frames:
            theirs.sendall(frame)

    server = threading.Thread(target=serve)
    server.start()
    try:
        with ours:
            _carry(ours, typed[0], output[1])
    finally:
        server.join()
        theirs.close()
        os.close(typed[0])
        os.close(output[1])
        said = os.read(output[0], 65536)
        os.close(output[0])
    return said, b"".join(heard)


def test_it_carries_both_ways_until_it_is_closed() -> None:
    words = websocket.frame(websocket.BINARY, b"hello")
    assert carried(words, words, websocket.closing(1000, ""), given=b"words") == (b"hellohello", b"words")
    with pytest.raises(Failure):
        carried(websocket.closing(1011, "not answered"), given=b"x")


@pytest.fixture(scope="module")
def place(up: Terminal) -> tuple[str, str, Any]:
    """An endpoint and a machine whose group lets nobody in."""
    ec2 = up.client("ec2")
    up.environ["AWS_REGION"] = "eu-west-3"
    [vm] = ec2.describe_instances(InstanceIds=[up.launch()])["Reservations"][0]["Instances"]
    made = ec2.create_instance_connect_endpoint(SubnetId=vm["SubnetId"])["InstanceConnectEndpoint"]
    key = made["InstanceConnectEndpointId"]

    def ready() -> bool:
        [shown] = ec2.describe_instance_connect_endpoints(InstanceConnectEndpointIds=[key])["InstanceConnectEndpoints"]
        return bool(shown["State"] == "create-complete")

    until(ready, 60)
    return key, vm["PrivateIpAddress"], ec2


def test_what_is_in_the_way_is_said(up: Terminal, place: tuple[str, str, Any]) -> None:
    endpoint, address, _ = place
    said = up.run("tunnel", endpoint, "10.9.9.9")
    assert (said.code, "was not answered" in said.err) == (1, True), said
    assert "was refused" in up.run("tunnel", endpoint, address).err  # its own group lets itself in: nobody listens
    missing = up.run("tunnel", "eice-00000000000000000", address)
    assert (missing.code, "does not exist" in missing.err) == (1, True), missing
    up.environ["AWS_SECRET_ACCESS_KEY"] = "wrong"
    try:
        assert "opens no tunnel" in up.run("tunnel", endpoint, address).err
    finally:
        del up.environ["AWS_SECRET_ACCESS_KEY"]
