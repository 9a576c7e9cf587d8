"""From run-instances to a login, through the whole product on real planes: one launch, many at once, what each costs.

    sudo .venv/bin/python bench/launches.py [--many 20]

In the same run, as floors: a bare runc container on the same image, and the compute plane alone (no API, no VPC, a
namespace that exists already). Memory is what the host no longer has, less what the guests' own processes use.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.machines import available, rss
from cloudjar.base.clock import monotonic
from cloudjar.planes.compute.cgroups import Groups
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import Disk, MachineSpec
from cloudjar.planes.network import namespaces
from tests.host.compute.guestnet import ssh
from tests.host.jar.account import Account
from tests.host.jar.packets import Wire
from tests.host.jar.served import IMAGE, RealJar, real_jar, until

BANNER_ONE, BANNER_MANY, MEMORY, STOP = 1.5, 20.0, 30.0, 1.0


class Bench:
    """A jar with a public subnet, and a key."""

    def __init__(self, jar: RealJar, folder: Path) -> None:
        self.jar, self.wire, self.account = jar, Wire(jar), Account(jar)
        vpc = self.account.vpc()
        self.subnet = self.account.subnet(vpc, public=True)
        self.account.gateway(vpc)
        self.group = self.account.group(vpc, "ssh", 22)
        self.key = folder / "bench.pem"
        self.key.write_text(self.account.ec2.create_key_pair(KeyName="bench", KeyType="ed25519")["KeyMaterial"])
        self.key.chmod(0o400)
        self.address: dict[str, str] = {}
        self.slowest = 0.0
        self.logins = threading.Semaphore(2)

    def launch(self, count: int) -> list[str]:
        return self.account.launch(self.subnet, self.group, count=count, KeyName="bench")

    def running(self, machines: list[str], began: float) -> dict[str, tuple[str, float]]:
        """Public address, and seconds until it ran, of each: asked for all at once, as the API wants to be polled."""
        seen: dict[str, tuple[str, float]] = {}

        def look() -> bool:
            asked = monotonic()
            answer = self.account.ec2.describe_instances(InstanceIds=machines)
            self.slowest = max(self.slowest, monotonic() - asked)
            for reservation in answer["Reservations"]:
                for vm in reservation["Instances"]:
                    if vm["State"]["Name"] == "running":
                        seen.setdefault(vm["InstanceId"], (vm["PublicIpAddress"], monotonic() - began))
            return len(seen) == len(machines)

        until(look, "all to run", 120, 0.1)
        return seen

    def follow(self, machine: str, began: float) -> dict[str, float]:
        """Seconds since `began` at each milestone of a launch that one can see from outside."""
        address = self.address[machine]
        until(lambda: self.wire.banner(address).startswith(b"SSH-"), "a banner", 120, 0.05)
        times = {"SSH banner": monotonic() - began}
        keys = "home/admin/.ssh/authorized_keys"
        until(lambda: self.inside(machine, keys), "cloud-init to install the key", 120, 0.05)
        # Clients cost as much as servers here: a few at a time, as people log in.
        with self.logins:
            until(lambda: ssh(self.key, "admin", address, "true").returncode == 0, "a login", 120, 0.1)
        times["login with the key pair"] = monotonic() - began
        return times

    def settled(self, machines: list[str]) -> None:
        """cloud-init's last stage is over everywhere."""
        done = "var/lib/cloud/instances/*/boot-finished"
        for machine in machines:
            until(lambda machine=machine: self.inside(machine, done), "cloud-init", 240, 0.1)  # type: ignore[misc]  # mypy cannot type a lambda's default

    def inside(self, machine: str, pattern: str) -> list[Path]:
        """Files of a machine's own, seen through its first process: its disk is mounted where only it looks."""
        life = self.jar.life(machine)
        return list(Path(f"/proc/{life[0]}/root").glob(pattern)) if life else []

    def stop(self, machine: str) -> float:
        """Seconds from the call until it is stopped."""
        began = monotonic()
        self.account.ec2.stop_instances(InstanceIds=[machine])
        until(lambda: self.account.state(machine) == "stopped", f"{machine} to be stopped", 120, 0.02)
        return monotonic() - began

    def terminate(self, machines: list[str]) -> float:
        began = monotonic()
        self.account.ec2.terminate_instances(InstanceIds=machines)
        wanted = [{"Name": "instance-state-name", "Values": ["shutting-down"]}]
        until(lambda: not self.account.ec2.describe_instances(Filters=wanted)["Reservations"], "the end", 120, 0.1)
        return monotonic() - began

    def launched(self, count: int) -> tuple[list[str], dict[str, float]]:
        """Launch, follow all; the last one's time at each milestone."""
        began = monotonic()
        self.slowest = 0.0
        machines = self.launch(count)
        answered = monotonic() - began
        ran = self.running(machines, began)
        self.address = {machine: address for machine, (address, _) in ran.items()}
        with ThreadPoolExecutor(count) as pool:
            done = list(pool.map(lambda machine: self.follow(machine, began), machines))
        times = {"call answered": answered, "state running": max(seconds for _, seconds in ran.values())}
        times["slowest describe meanwhile"] = self.slowest
        return machines, times | {m: max(t[m] for t in done) for m in done[0]}


def bare_runc(jar: RealJar) -> float:
    """Seconds of `runc run` of nothing on the image: what no machine can be faster than."""
    rootfs = jar.compute.store.rootfs(IMAGE)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["runc", "spec", "--bundle", folder], check=True)
        config = Path(folder, "config.json")
        spec = msgspec.json.decode(config.read_bytes())
        spec["root"] = {"path": str(rootfs), "readonly": True}
        spec["process"] |= {"args": ["/bin/true"], "terminal": False}
        config.write_bytes(msgspec.json.encode(spec))
        began = monotonic()
        subprocess.run(["runc", "run", "--bundle", folder, f"cj-bench-{os.getpid()}"], check=True)
        return monotonic() - began


def plane_alone(jar: RealJar) -> dict[str, float]:
    """Seconds of the compute plane's own launch and removal, without API, records or VPC."""
    name = "robplane"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        host = ContainerCompute(name, Path(folder))
        namespace = f"cj-{name}-i-bench"
        namespaces.create(namespace)
        spec = MachineSpec(id="i-bench", image=IMAGE, network=namespace, vcpus=2, memory_mib=1024,
                           hostname="bench", root=Disk(volume_id="vol-bench"))  # fmt: skip
        try:
            began = monotonic()
            host.start(spec)
            times = {"start": monotonic() - began}

            def greeted() -> bool:
                try:
                    return namespaces.inside(namespace, lambda: _greeting("127.0.0.1")).startswith(b"SSH-")
                except OSError:
                    return False

            subprocess.run(["ip", "-n", namespace, "link", "set", "lo", "up"], check=True)
            until(greeted, "the bare machine's banner", 60, 0.02)
            times["SSH banner"] = monotonic() - began
            began = monotonic()
            host.remove("i-bench")
            times["remove"] = monotonic() - began
            return times
        finally:
            host.remove("i-bench")
            host.remove_volume("vol-bench")
            namespaces.delete(namespace)
            host.close()


def _greeting(address: str) -> bytes:
    with socket.create_connection((address, 22), 1) as peer:
        return peer.recv(64)


def line(what: str, value: float, unit: str = "s", note: str = "") -> None:
    print(f"{what:<52}{value:>8.2f} {unit:<4}{note}", flush=True)


def bar(value: float, limit: float) -> str:
    return f"bar {limit:g}: {'met' if value < limit else 'MISSED'}"


def one(bench: Bench, which: str, alone: dict[str, float], bare: float) -> None:
    machines, times = bench.launched(1)
    for what, seconds in times.items():
        note = bar(seconds, BANNER_ONE) if what == "SSH banner" else ""
        line(f"{which}: {what}", seconds, note=note)
    line(f"{which}: banner, times the plane alone", times["SSH banner"] / alone["SSH banner"], "x")
    line(f"{which}: running, times bare runc", times["state running"] / bare, "x")
    bench.settled(machines)
    took = bench.stop(*machines)
    line(f"{which}: stop", took, note=bar(took, STOP))
    line(f"{which}: terminate", bench.terminate(machines))


def many(bench: Bench, count: int, alone: dict[str, float]) -> None:
    before = available()
    machines, times = bench.launched(count)
    for what, seconds in times.items():
        note = bar(seconds, BANNER_MANY) if what == "SSH banner" else ""
        line(f"{count} at once: last {what}", seconds, note=note)
    line(
        f"{count} at once: banner, times {count} of the plane alone",
        times["SSH banner"] / alone["SSH banner"] / count,
        "x",
    )
    bench.settled(machines)
    gone = (before - available()) / 2**20
    guests = 0
    for machine in machines:
        pids = Groups(bench.jar.settings.tag, machine).pids()
        keepers = {pid for pid in pids if b"conmon" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]}
        guests += rss(pids - keepers)
    each = guests / count / 2**20
    line("memory gone from the host, each", gone / count, "MiB")
    line("of that the guest's own processes, each", each, "MiB")
    beside = gone / count - each
    line("beside its own processes, each", beside, "MiB", bar(beside, MEMORY))
    line(f"{count} at once: all terminated", bench.terminate(machines))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--many", type=int, default=20)
    count = parser.parse_args().many
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with tempfile.TemporaryDirectory() as folder, real_jar(vcpus=2 * count + 8) as jar:
        bare, alone = bare_runc(jar), plane_alone(jar)
        line("floor: bare runc run /bin/true", bare)
        for what, seconds in alone.items():
            line(f"floor: the compute plane alone, {what}", seconds)
        bench = Bench(jar, Path(folder))
        for which in ("the first", "a second", "a third"):  # the first one of a server loads what it needs
            one(bench, which, alone, bare)
        if count:
            many(bench, count, alone)
        until(lambda: not jar.machine_traces(), "every trace of a machine to go", 30)
        line("traces of machines afterwards", len(jar.machine_traces()), "")


if __name__ == "__main__":
    main()
