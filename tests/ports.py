"""Ports for servers that are started again on the same one."""

from __future__ import annotations

import socket
from contextlib import suppress

from cloudjar.base import ids

BELOW_THE_EPHEMERAL = range(20_000, 32_000)
"""The kernel gives none of these to a client. A port that it picks itself may belong to somebody's outgoing connection
by the time that a killed server comes back for it."""

OF_CLIENTS = range(8_001, BELOW_THE_EPHEMERAL.start)
"""For clients that choose their own port: no server of a test is given one of these."""


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port on which nobody listens now and which no client will be given by chance."""
    while True:
        port = BELOW_THE_EPHEMERAL[ids.below(len(BELOW_THE_EPHEMERAL))]
        with socket.socket() as probe, suppress(OSError):
            probe.bind((address, port))
            return port
