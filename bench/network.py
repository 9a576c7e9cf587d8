"""What the network plane costs, against bare namespaces in the same run.

    sudo .venv/bin/python bench/network.py [--seconds 1.5] [--rounds 9] [--interfaces 200]

Throughput of one TCP connection between two instances of a VPC, over that of two namespaces joined by a link; the same
with 1,000 more security group rules; how long a change of rules takes until the packets obey, from the call of the
plane and from that of a whole jar's API; and how long a VPC of 200 interfaces takes to be planned and applied, to
change a rule, and to gain one more.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cloudjar.base.clock import monotonic
from cloudjar.planes.network.plan import plan
from cloudjar.planes.network.port import Interface, Rule, SecurityGroup, Subnet, Vpc
from tests.host.jar.account import Account
from tests.host.jar.packets import Wire
from tests.host.jar.served import RealJar, real_jar, until
from tests.host.network.conftest import Host
from tests.planes.network.topology import ALL_OUT, allow, eni, group, vpc

replace = msgspec.structs.replace
THROUGHPUT, RULES_COST, CHANGE, INTERFACES = 0.60, 0.10, 0.150, 5.0
PORT = 5201

_RECEIVE = """
import socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[1])), backlog=16)
print("ready", flush=True)
buffer = bytearray(1 << 20)
while True:
    peer, _ = s.accept()
    while peer.recv_into(buffer):
        pass
"""
_SEND = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
data = bytes(1 << 20)
def sent(seconds):
    end, total, began = time.monotonic() + seconds, 0, time.monotonic()
    while time.monotonic() < end:
        total += s.send(data)
    return total / (time.monotonic() - began)
sent(0.2)
print(sent(float(sys.argv[3])))
"""


def line(what: str, value: float, unit: str, note: str = "") -> None:
    print(f"{what:<62}{value:>9.3f} {unit:<7}{note}", flush=True)


def bar(value: float, limit: float, *, least: bool = False) -> str:
    met = value >= limit if least else value < limit
    return f"bar {'>=' if least else '<'} {limit:g}: {'met' if met else 'MISSED'}"


def within(namespace: str, code: str, *argv: object) -> list[str]:
    return ["ip", "netns", "exec", namespace, sys.executable, "-c", code, *map(str, argv)]


@contextmanager
def receiving(namespace: str) -> Iterator[None]:
    """A server in a namespace that swallows what it is sent."""
    child = subprocess.Popen(within(namespace, _RECEIVE, PORT), stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        yield
    finally:
        child.kill()
        child.wait()


def speed(namespace: str, address: str, seconds: float) -> float:
    """Bytes per second of one connection."""
    done = subprocess.run(within(namespace, _SEND, address, PORT, seconds), capture_output=True, text=True, check=True)
    return float(done.stdout)


@contextmanager
def bare() -> Iterator[tuple[str, str, str]]:
    """Two namespaces joined by a link: (sender, receiver, the receiver's address)."""
    one, two = (f"cj-bench{os.getpid()}-{k}" for k in "ab")

    def ip(*argv: str) -> None:
        subprocess.run(["ip", *argv], check=True)

    try:
        for name in (one, two):
            ip("netns", "add", name)
        ends = [["name", "bench0", "mtu", "9001", "netns", name] for name in (one, two)]
        ip("link", "add", *ends[0], "type", "veth", "peer", *ends[1])
        for name, address in ((one, "10.99.0.1/24"), (two, "10.99.0.2/24")):
            ip("-n", name, "address", "add", address, "dev", "bench0")
            ip("-n", name, "link", "set", "bench0", "up")
        yield one, two, "10.99.0.2"
    finally:
        for name in (one, two):
            subprocess.run(["ip", "netns", "del", name], check=False)


def two_instances(*rules: Rule) -> Vpc:
    """One subnet, one group; both sides tracked and filtered as any instance's."""
    own = group("sg-open", allow("tcp", PORT, "sg-open"), *rules)
    return vpc(eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-public", "10.0.1.6"), groups=(own,))


def many_rules(count: int) -> tuple[Rule, ...]:
    """Rules that none of these packets matches, before the one that does."""
    return tuple(allow("tcp", 10000 + n, f"172.16.{n % 250}.{n // 250}/32") for n in range(count))


def throughput(host: Host, seconds: float, rounds: int) -> None:
    few = two_instances()
    more = replace(few, groups=(SecurityGroup(id="sg-open", rules=(*many_rules(1000), *few.groups[0].rules)),))
    host.net.apply(few)
    sender, receiver = host.namespace("i-1"), host.namespace("i-2")
    seen: dict[str, list[float]] = {"bare": [], "vpc": [], "rules": []}
    with bare() as (near, far, address), receiving(far), receiving(receiver):
        for turn in range(rounds):  # in turn, and in turn the first: others may be at work on this machine
            seen["bare"].append(speed(near, address, seconds))
            for name, wanted in (("vpc", few), ("rules", more))[:: 1 if turn % 2 else -1]:
                host.net.apply(wanted)
                seen[name].append(speed(sender, "10.0.1.6", seconds))
    line("bare namespaces joined by a link", median(seen["bare"]) * 8 / 1e9, "Gbit/s")
    line("two instances of a VPC", median(seen["vpc"]) * 8 / 1e9, "Gbit/s")
    ratio = median(v / b for v, b in zip(seen["vpc"], seen["bare"], strict=True))
    line("instances over bare", ratio, "", bar(ratio, THROUGHPUT, least=True))
    cost = 1 - median(r / v for r, v in zip(seen["rules"], seen["vpc"], strict=True))
    line("what 1,000 more rules cost", cost, "", bar(cost, RULES_COST))


def changes(host: Host, rounds: int) -> None:
    """From the call of the plane to the first packet that obeys, both ways."""
    shut, let = two_instances(), two_instances(allow("tcp", 7000))
    host.net.apply(shut)
    host.listen("i-2", 7000)
    times = []
    for _ in range(rounds):
        for wanted, verdict in ((let, "open"), (shut, "dropped")):
            times.append(applied(host, wanted))
            assert host.tcp("i-1", "10.0.1.6", 7000) == verdict  # as soon as the call is back
    told("a rule changes, by the plane alone", times)


def told(what: str, times: list[float]) -> None:
    """The median against the bar, and the worst."""
    line(f"{what}, until packets obey", median(times), "s", bar(median(times), CHANGE))
    line(f"{what}, the slowest of {len(times)}", max(times), "s")


def applied(host: Host, wanted: Vpc) -> float:
    """Seconds of one call of the plane."""
    began = monotonic()
    host.net.apply(wanted)
    return monotonic() - began


def api_changes(jar: RealJar, rounds: int) -> None:
    """From the call of the API to the first packet that obeys: what a person who edits a group waits for."""
    account, wire = Account(jar), Wire(jar)
    vpc_id = account.vpc()
    subnet, own = account.subnet(vpc_id), account.group(vpc_id, "own")
    one, two = (account.run(subnet, own) for _ in range(2))
    wire.listen(two.id, 7000)

    def knock() -> str:
        return wire.knock(two.private, 7000, one.id, wait=0.05)

    times = []
    for _ in range(rounds):
        for call, verdict in ((account.authorize, "open"), (account.revoke, "dropped")):
            began = asked = monotonic()
            call(own, 7000)
            while True:
                asked = monotonic()
                if knock() == verdict:
                    break
                if asked - began > 60:
                    raise SystemExit(f"port 7000 was not {verdict} within a minute of {call.__name__}")
            times.append((asked if verdict == "dropped" else monotonic()) - began)
    wire.close()
    told("a rule changes, by the API", times)
    account.ec2.terminate_instances(InstanceIds=[one.id, two.id])
    until(lambda: not jar.machine_traces(), "every trace of a machine to go", 60)


def crowd(count: int) -> Vpc:
    """A VPC of many interfaces in ten subnets, each with two of twenty groups."""
    subnets = tuple(Subnet(id=f"subnet-{s}", cidr=f"10.0.{s}.0/24", zone="us-east-1a", route_table="rtb-public")
                    for s in range(1, 11))  # fmt: skip
    names = [f"sg-{n}" for n in range(20)]
    groups = tuple(group(name, allow("tcp", 80), allow("-1", -1, name), out=(ALL_OUT,)) for name in names)

    def one(n: int) -> Interface:
        return eni(n, f"subnet-{n % 10 + 1}", f"10.0.{n % 10 + 1}.{n // 10 + 10}", names[n % 20], names[(n + 7) % 20])

    made = tuple(replace(one(n), mac=f"06:00:00:00:{n >> 8:02x}:{n & 255:02x}") for n in range(count))
    return vpc(*made, groups=groups, subnets=subnets)


def interfaces(host: Host, count: int) -> None:
    wanted, more = crowd(count), crowd(count + 1)
    began = monotonic()
    plan(wanted, host.net.site)
    line(f"{count} interfaces planned", monotonic() - began, "s")
    took = applied(host, wanted)
    line(f"{count} interfaces planned and applied", took, "s", bar(took, INTERFACES))
    line("over as many bare links", took / bare_links(count), "x")
    other = replace(wanted, groups=(*wanted.groups[:-1], group("sg-19", allow("tcp", 81))))
    told("a rule changes among as many", [applied(host, one) for one in (other, wanted) * 3])
    line("one more interface", applied(host, more), "s")
    began = monotonic()
    host.net.remove("vpc-1")
    line(f"{count + 1} interfaces removed", monotonic() - began, "s")


def bare_links(count: int) -> float:
    """Seconds that `ip` takes to make as many namespaces with a link each, in one batch."""
    hub, names = f"cj-bench{os.getpid()}-hub", [f"cj-bench{os.getpid()}-{n}" for n in range(count)]
    links = "".join(f"link add b{n} netns {hub} type veth peer name eth0 netns {x}\n" for n, x in enumerate(names))
    began = monotonic()
    try:
        for name in (hub, *names):
            subprocess.run(["ip", "netns", "add", name], check=True)
        subprocess.run(["ip", "-batch", "-"], input=links, text=True, check=True)
        return monotonic() - began
    finally:
        text = "".join(f"netns del {name}\n" for name in (*names, hub))
        subprocess.run(["ip", "-batch", "-"], input=text, text=True, check=False)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--interfaces", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder))
        try:
            throughput(host, asked.seconds, asked.rounds)
            changes(host, asked.rounds)
            host.net.remove("vpc-1")
            interfaces(host, asked.interfaces)
        finally:
            host.close()
    with real_jar() as jar:
        api_changes(jar, asked.rounds)


if __name__ == "__main__":
    main()
