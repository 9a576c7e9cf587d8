"""Listening sockets of the API inside VPCs, at their endpoints; Linux only.

An endpoint's namespaces (one per ENI, or one of a gateway endpoint's own) hold nothing but these sockets. Who
serves them learns by which endpoint a caller came, and the caller's private address.
"""

from __future__ import annotations

import socket
import threading

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import namespaces
from cloudjar.planes.network.port import Endpoint, EndpointSource, Vpc
from cloudjar.planes.network.site import Site

_TRANSPARENT = 19


class Doorways:
    """The sockets of one installation. Thread-safe."""

    def __init__(self, site: Site, source: EndpointSource | None, ports: tuple[int, ...]) -> None:
        self.site = site
        self.ports = ports
        self._source = source
        self._open: dict[str, tuple[str, tuple[str, ...]]] = {}
        """By endpoint: its VPC, and the guests that sockets were opened in."""
        self._turn = threading.Lock()

    def check(self, vpc: Vpc) -> None:
        """Refuse endpoints that nobody would answer at."""
        if any(_served(e) for e in vpc.endpoints) and self._source is None:
            raise PlaneError(f"{vpc.id} has endpoints, and nobody serves the API inside VPCs.")

    def open(self, vpc: Vpc) -> None:
        """Listen at exactly these endpoints of a VPC."""
        wanted = {e.id: (vpc.id, _guests(vpc, e)) for e in vpc.endpoints if _served(e)}
        with self._turn:
            for endpoint_id, held in list(self._open.items()):
                if held[0] == vpc.id and wanted.get(endpoint_id) != held:
                    self._shut(endpoint_id)
            for endpoint_id, (_, guests) in wanted.items():
                if endpoint_id not in self._open and guests:
                    self._open[endpoint_id] = wanted[endpoint_id]
                    try:
                        self._listen(vpc.id, endpoint_id, guests)
                    except OSError:
                        self._shut(endpoint_id)
                        raise

    def _listen(self, vpc_id: str, endpoint_id: str, guests: tuple[str, ...]) -> None:
        assert self._source is not None
        for guest in guests:
            opened = namespaces.inside(self.site.guest_namespace(guest), lambda: [_tcp(p) for p in self.ports])
            for s in opened:
                self._source.attach(vpc_id, endpoint_id, s.detach())

    def close(self, vpc_id: str) -> None:
        """Stop listening at every endpoint of a VPC."""
        with self._turn:
            for endpoint_id, held in list(self._open.items()):
                if held[0] == vpc_id:
                    self._shut(endpoint_id)

    def _shut(self, endpoint_id: str) -> None:
        del self._open[endpoint_id]
        if self._source:
            self._source.detach(endpoint_id)


def _served(endpoint: Endpoint) -> bool:
    """Whether it is the API that answers there."""
    return endpoint.kind != "service"


def _guests(vpc: Vpc, endpoint: Endpoint) -> tuple[str, ...]:
    if endpoint.kind == "gateway":
        return (endpoint.id,)
    return tuple(i.guest for i in vpc.interfaces if i.id in endpoint.interfaces and i.guest)


def _tcp(port: int) -> socket.socket:
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_IP, _TRANSPARENT, 1)  # a gateway endpoint answers from addresses that are nobody's
    s.setblocking(False)
    s.bind(("0.0.0.0", port))
    s.listen(512)
    return s
