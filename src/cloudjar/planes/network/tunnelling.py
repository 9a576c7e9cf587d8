"""Tunnels of Connect attachments: their devices, the program that carries GRE (`gre.py`), the BGP speaker (BIRD 2), and
what it has heard; Linux only.

A gateway with tunnels is a folder with what both programs were told. They live in the gateway's namespace and outlive
the server: what runs is found by what it was started with.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.process import need_tool, run
from cloudjar.planes.network import gre, namespaces, programs, speaking, tunnels
from cloudjar.planes.network.connect import Connect, ConnectPeer, PeerSeen
from cloudjar.planes.network.netlink import Netlink
from cloudjar.planes.network.port import TransitGateway
from cloudjar.planes.network.site import Site, checked, tunnel_name
from cloudjar.planes.proxy.processes import end, lives_in

log = logging.getLogger("cloudjar.network")
_LOOK_SECONDS = 1.0
_TUN_SET, _TUN_PERSIST = 0x400454CA, 0x400454CB
_TUN, _BARE = 0x0001, 0x1000
_SET_MTU = 0x8922


class Tunnels:
    """All of one installation, in a folder of its own. Safe from any thread."""

    def __init__(self, site: Site, folder: Path) -> None:
        self._site = site
        self._folder = folder
        self._turns: dict[str, threading.RLock] = {}
        self._gateways: dict[str, TransitGateway] = {}
        self._bare: set[str] = set()
        """Gateways whose namespaces are known to hold no devices of tunnels."""
        self._seen: dict[str, dict[str, PeerSeen]] = {}
        self._changed: Callable[[str], None] = lambda _: None
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None

    def furnish(self, gateway: TransitGateway) -> None:
        """Have exactly a gateway's devices and outer addresses in its namespace, which must be there."""
        if not gateway.connects and gateway.id in self._bare:
            return
        namespaces.inside(self._site.hub_namespace(gateway.id), partial(_furnish, gateway.connects))
        (self._bare.discard if gateway.connects else self._bare.add)(gateway.id)

    def carry(self, gateway: TransitGateway) -> None:
        """Have both programs run with what this gateway says, or none where it has no tunnels."""
        with self._turn(gateway.id):
            if not tunnels.peers(gateway.connects):
                self.end(gateway.id)
                return
            self._gateways[gateway.id] = gateway
            home = self._home(gateway.id)
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._carry_packets(gateway, home)
            self._speak(gateway, home)
        self._watch()

    def _carry_packets(self, gateway: TransitGateway, home: Path) -> None:
        """Tell the program to look again even when nothing is new: a device may be another of the same name."""
        programs.write(home / "tunnels", tunnels.lines(gateway.connects))
        for pid in self._running(gateway.id, home / "tunnels"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)
            return
        argv = [*programs.confined("gre"), sys.executable, "-I", "-S", gre.__file__, str(home / "tunnels")]
        self._start(gateway.id, argv, f"the tunnels of {gateway.id}")

    def _speak(self, gateway: TransitGateway, home: Path) -> None:
        new = programs.write(home / "bird.conf", speaking.configuration(gateway.id, gateway.asn, gateway.connects))
        if self._running(gateway.id, home / "bird.conf"):
            if new:
                programs.ask(home, "configure")
            return
        (home / "ctl").unlink(missing_ok=True)
        # Relative names: a Unix socket's path has 107 bytes at most.
        argv = ["sh", "-c", 'cd "$0" && exec "$@"', str(home), *programs.confined("bird"), need_tool("bird", "bird2"),
                "-c", str(home / "bird.conf"), "-s", "ctl", "-P", "pid"]
        self._start(gateway.id, argv, f"the routing of {gateway.id}")

    def _start(self, gateway_id: str, argv: list[str], what: str) -> None:
        namespace = self._site.hub_namespace(gateway_id)
        namespaces.inside(namespace, lambda: run(argv, what=what, timeout=30))

    def _running(self, gateway_id: str, file: Path) -> list[int]:
        """Processes that were started with a file and are where they should be; others are ended."""
        found = programs.of(file)
        here = [pid for pid in found if lives_in(pid, namespaces.path(self._site.hub_namespace(gateway_id)))]
        end([pid for pid in found if pid not in here[:1]])
        return here[:1]

    def end(self, gateway_id: str) -> None:
        """End both programs of a gateway and forget what they were told."""
        with self._turn(gateway_id):
            self._gateways.pop(gateway_id, None)
            self._seen.pop(gateway_id, None)
            self._bare.discard(gateway_id)
            home = self._home(gateway_id)
            if home.exists():
                end(programs.below(home))
                shutil.rmtree(home, ignore_errors=True)

    def close(self) -> None:
        """End all of them: no namespace would go while they are in it."""
        self.release()
        for home in self._folder.glob("tgw-*"):
            self.end(home.name)

    def watch(self, changed: Callable[[str], None]) -> None:
        """Have `changed` called (gateway's id) whenever a session or what one tells has changed."""
        self._changed = changed

    def seen(self, gateway_id: str) -> dict[str, PeerSeen] | None:
        """What the peers of a gateway were last seen to say; None where nobody has looked yet."""
        return self._seen.get(gateway_id)

    def release(self) -> None:
        """Stop looking; the programs go on."""
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        self._stop.clear()

    # -- looking
    def _watch(self) -> None:
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._look, name="cloudjar-tunnels", daemon=True)
            self._watcher.start()

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            for gateway in list(self._gateways.values()):
                try:
                    with self._turn(gateway.id):
                        changed = self._look_at(gateway.id)
                except (PlaneError, OSError) as failed:
                    log.warning("the tunnels of %s: %s", gateway.id, failed)
                    continue
                if changed:
                    self._changed(gateway.id)

    def _look_at(self, gateway_id: str) -> bool:
        gateway = self._gateways.get(gateway_id)
        if gateway is None or not namespaces.exists(self._site.hub_namespace(gateway_id)):
            return False
        home = self._home(gateway_id)
        pid = home / "pid"
        if not pid.exists() or not programs.is_of(int(pid.read_text() or 0), home / "bird.conf"):
            self._speak(gateway, home)
        now = self._ask(gateway, home)
        if not any(any(peer.up) for peer in now.values()):
            self._carry_packets(gateway, home)  # nobody is heard: maybe it has ended
        before = self._seen.get(gateway_id)
        self._seen[gateway_id] = now
        return now != before

    def _ask(self, gateway: TransitGateway, home: Path) -> dict[str, PeerSeen]:
        established = speaking.sessions(programs.ask(home, "show protocols"))
        told = []
        for name in (speaking.table(c.attachment, version) for c in gateway.connects for version in (4, 6)):
            told += speaking.routes(programs.ask(home, f"show route all table {name}"))
        return speaking.heard(gateway.connects, established, told)

    # -- parts
    def _turn(self, gateway_id: str) -> threading.RLock:
        return self._turns.setdefault(gateway_id, threading.RLock())

    def _home(self, gateway_id: str) -> Path:
        return self._folder / checked(gateway_id)


def _furnish(connects: tuple[Connect, ...]) -> None:
    """Runs in the gateway's namespace. A device's alias comes last: one without it is made anew."""
    wanted = {peer.id: peer for peer in tunnels.peers(connects)}
    with Netlink() as kernel:
        present = set()
        for link in kernel.links():
            if tunnels.is_tunnel(link.alias):
                peer = wanted.get(tunnels.peer_of(link.alias))
                if peer is not None and tunnels.alias(peer) == link.alias:
                    present.add(peer.id)
                else:
                    kernel.delete_link(link.name)
        for peer in wanted.values():
            if peer.id not in present:
                _make(kernel, peer)
        _own_addresses(kernel, {f"{peer.own}/32" for peer in wanted.values()})
    with suppress(OSError):  # equal ways are chosen by connection
        Path("/proc/sys/net/ipv4/fib_multipath_hash_policy").write_text("1")


def _own_addresses(kernel: Netlink, wanted: set[str]) -> None:
    loopback = kernel.link("lo")
    if loopback is None:
        return
    seen = {a for a in kernel.addresses(loopback.index) if a not in ("127.0.0.1/8", "::1/128")}
    for gone in seen - wanted:
        kernel.delete_address(loopback.index, gone)
    for new in wanted - seen:
        kernel.add_address(loopback.index, new)


def _make(kernel: Netlink, peer: ConnectPeer) -> None:
    name = tunnel_name(peer.id)
    kernel.delete_link(name)  # half made
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, _TUN_SET, struct.pack("16sH22x", name.encode(), _TUN | _BARE))
        fcntl.ioctl(fd, _TUN_PERSIST, 1)
    finally:
        os.close(fd)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, _SET_MTU, struct.pack("16si12x", name.encode(), tunnels.MTU))
    device = kernel.link(name)
    if device is None:
        raise OSError(f"{name} vanished while it was being made")
    kernel.set_link(device.index, up=True)
    for inside in tunnels.ends(peer):
        for own in inside.own:
            with suppress(OSError) if inside.block.version == 6 else nullcontext():  # a kernel without IPv6
                kernel.add_address(device.index, f"{own}/{inside.block.prefixlen}")
    kernel.set_link(device.index, alias=tunnels.alias(peer))
