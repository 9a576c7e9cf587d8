"""A network just big enough for one machine: a namespace, a link to the host, a metadata service inside it.

The metadata service is a small true one (tokens required), so that cloud-init runs as it would on EC2.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cloudjar.planes.network import namespaces

TOKEN = "a-token-of-the-test"
_CLONE_NEWNET = 0x40000000


def sh(*argv: str, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a host tool and give back what it said."""
    return subprocess.run(argv, check=check, capture_output=True, text=True, timeout=timeout)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    tree: dict[str, str]
    timeout = 10

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_PUT(self) -> None:
        self._answer(200, TOKEN) if self.path == "/latest/api/token" else self._answer(404, "")

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != TOKEN:
            return self._answer(401, "")
        version, _, path = self.path.lstrip("/").partition("/")
        if version not in ("latest", "2021-03-23", "2009-04-04"):
            return self._answer(404, "")
        if path in self.tree:
            return self._answer(200, self.tree[path])
        below = path.rstrip("/") + "/" if path.strip("/") else ""
        names = {
            rest.split("/")[0] + ("/" if "/" in rest else "")
            for key in self.tree
            if key.startswith(below) and (rest := key[len(below) :])
        }
        return self._answer(200, "\n".join(sorted(names))) if names else self._answer(404, "")

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listener: socket.socket, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("", 0), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener


def listen_inside(namespace: str, address: str, port: int) -> socket.socket:
    """A listening socket of another network namespace, opened from a thread that goes there and ends."""
    made: list[socket.socket] = []
    failed: list[OSError] = []

    def go() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/run/netns/{namespace}") as there:
            if libc.setns(there.fileno(), _CLONE_NEWNET):
                failed.append(OSError(ctypes.get_errno(), "setns"))
                return
        try:
            made.append(socket.create_server((address, port), backlog=64))
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]


@contextmanager
def guest_network(
    number: int, *, instance: str, public_key: str, user_data: str = "", nat: bool = False, own: bool = True
) -> Iterator[str]:
    """Yield the guest's address; the namespace is called ``cjt-<number>``, its users are the guest's `own`."""
    name, link = f"cjt-{number}", f"cjt{number}h"
    base = f"10.{77 + number // 250}.{number % 250}"
    sh("ip", "link", "del", link, check=False)
    sh("ip", "netns", "del", name, check=False)
    namespaces.create(name, guest=own)
    try:
        sh("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
        sh("ip", "addr", "add", f"{base}.1/24", "dev", link)
        sh("ip", "link", "set", link, "up")
        inside = ("ip", "-n", name)
        sh(*inside, "link", "set", "lo", "up")
        sh(*inside, "addr", "add", "169.254.169.254/32", "dev", "lo")
        sh(*inside, "addr", "add", f"{base}.2/24", "dev", "eth0")
        sh(*inside, "link", "set", "eth0", "up")
        sh(*inside, "route", "add", "default", "via", f"{base}.1")
        tree = {
            "meta-data/instance-id": instance,
            "meta-data/local-hostname": f"ip-{base.replace('.', '-')}-2.ec2.internal",
            "meta-data/local-ipv4": f"{base}.2",
            "meta-data/placement/availability-zone": "us-east-1a",
            "meta-data/placement/region": "us-east-1",
            "meta-data/network/interfaces/macs/06:00:00:00:00:01/device-number": "0",
            "meta-data/network/interfaces/macs/06:00:00:00:00:01/vpc-id": "vpc-1",
            "meta-data/network/interfaces/macs/06:00:00:00:00:01/local-ipv4s": f"{base}.2",
            "meta-data/public-keys/": "0=devops-key",
            "meta-data/public-keys/0/openssh-key": public_key,
            "dynamic/instance-identity/document": f'{{"instanceId": "{instance}", "region": "us-east-1"}}',
        }
        if user_data:
            tree["user-data"] = user_data
        handler = type("Handler", (_Handler,), {"tree": tree})
        server = _Server(listen_inside(name, "169.254.169.254", 80), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with _masquerade(base, link) if nat else _nothing():
                yield f"{base}.2"
        finally:
            server.shutdown()
            server.server_close()
    finally:
        sh("ip", "netns", "del", name, check=False)
        sh("ip", "link", "del", link, check=False)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _masquerade(base: str, link: str) -> Iterator[None]:
    """Let the guest out through the host, as a NAT gateway would."""
    forward = Path("/proc/sys/net/ipv4/ip_forward")
    before = forward.read_text()
    forward.write_text("1")
    table = f"cjt_{link}"
    rules = f"""table ip {table} {{
        chain out {{ type nat hook postrouting priority 100; ip saddr {base}.0/24 oifname != "{link}" masquerade; }}
    }}"""
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    try:
        yield
    finally:
        sh("nft", "delete", "table", "ip", table, check=False)
        forward.write_text(before)


def key_pair(folder: Path) -> tuple[Path, str]:
    """An Ed25519 key pair: the private key's file, the public key's line."""
    path = folder / "key.pem"
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "devops-key", "-f", str(path))
    return path, (folder / "key.pem.pub").read_text().strip()


def ssh(key: Path, user: str, address: str, command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a command in a guest through SSH."""
    options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=5"]
    options += ["-o", "BatchMode=yes", "-o", "LogLevel=ERROR"]
    argv = ["ssh", "-i", str(key), *options, f"{user}@{address}", command]
    return sh(*argv, check=False, timeout=timeout)


def banner(address: str, port: int = 22, timeout: float = 1.0) -> bytes:
    """What an SSH server says first; empty when nobody answers."""
    try:
        with socket.create_connection((address, port), timeout=timeout) as peer:
            peer.settimeout(timeout)
            return peer.recv(64)
    except OSError:
        return b""


def resolvers() -> str:
    """The host's own resolver, for guests that go out through it."""
    for line in Path("/etc/resolv.conf").read_text().splitlines():
        if line.startswith("nameserver"):
            return line.split()[1]
    return ""


def root_and_tools() -> str:
    """Why host tests cannot run here, or an empty string."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [tool for tool in ("ip", "runc", "conmon", "ssh") if not sh("which", tool, check=False).stdout]
    return f"needs {', '.join(missing)}" if missing else ""
