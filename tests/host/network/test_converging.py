"""Idempotence, crashes, restarts and speed."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import layout, namespaces, nft
from cloudjar.planes.network.leaks import leaks
from cloudjar.planes.network.linux import LinuxNetwork
from cloudjar.planes.network.netlink import Netlink
from cloudjar.planes.network.plan import plan
from cloudjar.planes.network.port import SecurityGroup, Vpc
from tests.host.network.conftest import Host, Metadata
from tests.planes.network.topology import OPEN, PRIVATE, PUBLIC, acl, allow, eni, group, vpc

pytestmark = pytest.mark.host
replace = msgspec.structs.replace


def held(host: Host, vpc_id: str = "vpc-1") -> tuple[layout.Layout, str]:
    """What the kernel holds: layout and the text of its rules."""
    def look() -> tuple[layout.Layout, str]:
        with Netlink() as kernel:
            seen = layout.seen_layout(kernel, kernel.links())
        text = subprocess.run([nft.program(), "-s", "list", "ruleset"], capture_output=True, text=True, check=True)
        return seen, "\n".join(sorted(text.stdout.splitlines()))

    return namespaces.inside(host.namespace(vpc_id), look)


def rich(host: Host, *, narrow: bool = False) -> Vpc:
    """A VPC with some of everything; `narrow` is another state of it."""
    subnets = (replace(PUBLIC, network_acl="acl-1"), PRIVATE)
    groups: tuple[SecurityGroup, ...] = (OPEN, group("sg-web", allow("tcp", 80), allow("tcp", 443, "sg-open")))
    enis = [eni(1, "subnet-public", "10.0.1.5", "sg-web", public=host.public(5)),
            eni(2, "subnet-private", "10.0.2.5", secondary=(("10.0.2.6", ""),)),
            eni(3, "subnet-private", "10.0.2.7", guest="i-1", index=1, checked=False, rate=100)]
    entries = acl("acl-1", (100, "in", True, "-1", -1, -1, "0.0.0.0/0"), (100, "out", True, "-1", -1, -1, "0.0.0.0/0"))
    if narrow:
        enis = [replace(enis[0], private=(("10.0.1.5", ""),), groups=("sg-open",)), replace(enis[2], guest="")]
        groups, subnets = (OPEN,), (PUBLIC, PRIVATE)
        return vpc(*enis, groups=groups, subnets=subnets, gateway="")
    return vpc(*enis, groups=groups, subnets=subnets, acls=(entries,))


def test_what_the_kernel_holds_is_what_the_plan_wants(host: Host) -> None:
    for wanted in (rich(host), rich(host, narrow=True), rich(host)):
        host.net.apply(wanted)
        assert held(host)[0] == layout.wanted_layout(plan(wanted, host.net.site))


def test_steps_and_leaps_end_alike(host: Host) -> None:
    """Incremental changes give the rules that a fresh start gives."""
    host.net.apply(rich(host, narrow=True))
    host.net.apply(rich(host))
    stepped = held(host)
    host.net.release()
    again = LinuxNetwork(host.tag, host.pool, host.state, None, Metadata())
    again.apply(rich(host))
    assert held(host) == stepped
    again.release()


def test_a_restart_takes_over_without_breaking_connections(host: Host) -> None:
    host.net.apply(rich(host))
    host.listen("i-1", 80)
    with host.connect("", host.public(5), 80) as running:
        host.net.release()
        again = LinuxNetwork(host.tag, host.pool, host.state, None, Metadata())
        again.apply(rich(host))
        running.sendall(b"?")
        assert running.recv(64).decode() == host.net.host_address
        assert again.vpcs() == ["vpc-1"]
        assert again.guests() == ["i-1", "i-2"]
        again.release()


def test_meddling_is_mended_at_the_next_start(host: Host) -> None:
    host.net.apply(rich(host))
    host.net.release()

    def meddle() -> None:
        with Netlink() as kernel:
            link = next(k for k in kernel.links() if k.name.startswith("eni-"))
            kernel.delete_link(link.name)
            kernel.set_route(254, "10.9.0.0/16")
        nft.transaction(f"flush chain inet {host.net.site.table} forwarding\n")

    namespaces.inside(host.namespace("vpc-1"), meddle)
    host.net = LinuxNetwork(host.tag, host.pool, host.state, None, Metadata())
    host.net.apply(rich(host))
    assert held(host)[0] == layout.wanted_layout(plan(rich(host), host.net.site))
    host.listen("i-1", 80)
    assert host.tcp("", host.public(5), 80) == "open"


def test_a_refused_change_leaves_the_rest_and_is_mended(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.net.apply(rich(host, narrow=True))
    broken = Path(host.state, "nft")
    broken.write_text("#!/bin/sh\necho no such thing >&2; exit 1\n")
    broken.chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setattr(nft, "program", lambda: str(broken))
        with pytest.raises(Exception, match="no such thing"):
            host.net.apply(rich(host))
    host.net.apply(rich(host))
    assert held(host)[0] == layout.wanted_layout(plan(rich(host), host.net.site))


def test_a_namespace_that_was_taken_away_comes_back_with_its_sockets(host: Host) -> None:
    host.net.apply(rich(host))
    namespaces.delete(host.namespace("vpc-1"))
    with pytest.raises(PlaneError):
        host.net.apply(rich(host, narrow=True))
    host.net.apply(rich(host))
    assert held(host)[0] == layout.wanted_layout(plan(rich(host), host.net.site))
    assert host.tcp("i-2", "169.254.169.254", 80) == "open"
    assert host.tcp("i-2", "10.0.0.2", 53) == "open"


def test_many_threads_may_lay_out_at_once(host: Host) -> None:
    """Eight VPCs side by side, and two states of one of them in turns."""
    wanted = [replace(rich(host, narrow=n % 2 == 1), id=f"vpc-{n}", interfaces=tuple(
        replace(i, guest=i.guest and f"{i.guest}-{n}", private=tuple((a, "") for a, _ in i.private))
        for i in rich(host, narrow=n % 2 == 1).interfaces)) for n in range(1, 9)]
    other = replace(wanted[0], groups=(OPEN, group("sg-web")))
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(host.net.apply, [*wanted, other, *wanted, other, wanted[0], other]))
        host.net.apply(wanted[0])
    for v in wanted:
        assert held(host, v.id)[0] == layout.wanted_layout(plan(v, host.net.site))
    assert host.net.vpcs() == [f"vpc-{n}" for n in range(1, 9)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(host.net.remove, host.net.vpcs()))
    assert host.net.guests() == []


CRASHER = """
import os, signal, sys
from pathlib import Path
import msgspec
from cloudjar.planes.network import linux, namespaces, netlink, nft
from cloudjar.planes.network.port import Vpc
tag, pool, state, steps = sys.argv[1:5]
left = int(steps)

def dying(work):
    def run(*args, **kw):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return work(*args, **kw)
    return run

netlink.Netlink._send = dying(netlink.Netlink._send)
nft.transaction = dying(nft.transaction)
namespaces._call = dying(namespaces._call)
for name in ("write_text", "touch", "unlink", "rmdir"):
    setattr(Path, name, dying(getattr(Path, name)))

class Nobody:
    def attach(self, vpc_id, listener): os.close(listener)
    def detach(self, vpc_id): pass

class NoDoors:
    def attach(self, vpc_id, endpoint_id, listener): os.close(listener)
    def detach(self, endpoint_id): pass

net = linux.LinuxNetwork(tag, pool, Path(state), None, Nobody(), endpoints=NoDoors())
for line in sys.stdin.buffer.read().splitlines():
    net.apply(msgspec.json.decode(line, type=Vpc))
if sys.argv[5:] == ["remove"]:
    net.close()
print("through")
"""


def crash(host: Host, steps: int, vpcs: list[Vpc], *then: str) -> bool:
    """Apply the VPCs in another process that is killed after so many steps; False when it got through."""
    done = subprocess.run(
        [sys.executable, "-c", CRASHER, host.tag, host.pool, str(host.state), str(steps), *then],
        input=b"\n".join(msgspec.json.encode(v) for v in vpcs), capture_output=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode != 0


@pytest.mark.slow
def test_a_kill_between_any_two_steps_is_mended(host: Host) -> None:
    """Dies after step 0, 1, 2, ... until the whole story gets through; each time the next start mends it."""
    first, second = rich(host), rich(host, narrow=True)
    steps, deaths = 0, 0
    while crash(host, steps, [first, second], "remove"):
        deaths += 1
        wanted = first if deaths % 2 else second
        host.net = LinuxNetwork(host.tag, host.pool, host.state, None, Metadata())
        host.net.apply(wanted)
        assert held(host)[0] == layout.wanted_layout(plan(wanted, host.net.site))
        assert host.net.guests() == sorted({i.guest for i in wanted.interfaces if i.guest})
        if deaths % 3:
            host.net.close()
            assert leaks(host.tag) == []
        else:
            host.net.release()
        steps += 1
    assert deaths > 50
    assert leaks(host.tag) == []


def test_a_change_costs_its_difference(host: Host) -> None:
    """No wall time is asserted here; the numbers are printed (-s) and the work is counted."""
    def timed(what: str, wanted: Vpc) -> None:
        start = monotonic()
        host.net.apply(wanted)
        print(f"{what}: {(monotonic() - start) * 1000:.1f} ms")

    timed("first apply", vpc(eni(1, "subnet-public", "10.0.1.5", public=host.public(5))))
    many = [eni(n, "subnet-public", f"10.0.1.{n + 4}", public=host.public(n + 4)) for n in range(1, 12)]
    for n in (2, 3, 4):
        timed(f"interface {n}", vpc(*many[:n]))
    timed("group change", vpc(*many[:4], groups=(replace(OPEN, rules=(*OPEN.rules, allow("tcp", 80))),)))
    timed("nothing", vpc(*many[:4], groups=(replace(OPEN, rules=(*OPEN.rules, allow("tcp", 80))),)))
    timed("seven more", vpc(*many))
    assert len(host.net.guests()) == 11
    links = held(host)[0].links
    host.net.apply(vpc(*many, groups=(OPEN, group("sg-more"))))
    assert held(host)[0].links == links
