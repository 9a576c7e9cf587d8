"""How fast machines are: one launch, its parts, many at once, and what each costs in memory.

    sudo .venv/bin/python bench/machines.py [how many at once, 20 unless told]

Guests get a small metadata service in their own namespace, so that cloud-init does all of its real work.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cloudjar.base.clock import monotonic
from cloudjar.planes.compute.cgroups import Groups
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.doctor import leaks
from cloudjar.planes.compute.port import Disk, MachineSpec
from tests.host.compute.guestnet import banner, guest_network, key_pair, ssh

TICK = threading.Event()
USER_DATA = "#!/bin/sh\necho user data ran\n"


def wait(what: Callable[[], object], seconds: float = 120) -> None:
    end = monotonic() + seconds
    while not what():
        if monotonic() > end:
            raise SystemExit("a machine did not come up")
        TICK.wait(0.02)


def spec(number: int) -> MachineSpec:
    return MachineSpec(
        id=f"i-bench{number}",
        image="debian-12",
        network=f"cjt-{number}",
        vcpus=2,
        memory_mib=1024,
        hostname=f"ip-10-77-{number}-2",
        root=Disk(volume_id=f"vol-bench{number}"),
    )


def one(host: ContainerCompute, key: Path, number: int, address: str) -> dict[str, float]:
    """Seconds from the call to each milestone of one launch."""
    began = monotonic()
    host.start(spec(number))
    times = {"start() returns": monotonic() - began}
    wait(lambda: banner(address).startswith(b"SSH-"))
    times["SSH banner"] = monotonic() - began
    # Asking inside costs the guest more than what is measured; its disk tells the same from outside.
    root = host.state / "machines" / f"i-bench{number}" / "root"
    wait(lambda: (root / "home/admin/.ssh/authorized_keys").exists())
    wait(lambda: ssh(key, "admin", address, "true").returncode == 0)
    times["login with the key pair"] = monotonic() - began
    wait(lambda: list(root.glob("var/lib/cloud/instances/*/boot-finished")))
    times["user data done"] = monotonic() - began
    return times


def rss(pids: set[int]) -> int:
    """Resident bytes of processes, shared pages counted by their share."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def memory(host: ContainerCompute, number: int) -> tuple[int, int]:
    """(bytes of what watches the machine, bytes of the machine's own processes), as proportional set size."""
    pids = Groups(host.tag, f"i-bench{number}").pids()
    keepers = {pid for pid in pids if b"conmon" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]}
    return rss(keepers), rss(pids - keepers)


def available() -> int:
    """The kernel's own estimate of free memory, in bytes."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    state = Path(tempfile.mkdtemp(prefix="cj-bench-", dir="/var/tmp"))
    # A name of its own, so that two runs (or one that was killed) never meet; asked to stop, clean up.
    host = ContainerCompute(state.name.removeprefix("cj-").lower(), state)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    host.prepare_image("debian-12")
    private, public = key_pair(state)
    try:
        with ExitStack() as stack:
            addresses = {
                n: stack.enter_context(guest_network(n, instance=f"i-bench{n}", public_key=public, user_data=USER_DATA))
                for n in range(100, 101 + many)
            }
            stack.callback(remove_all, host)
            single(host, private, addresses)
            at_once(host, private, addresses, many)
    finally:
        left = leaks(host.tag, state)
        shutil.rmtree(state)
        host.close()
    print(f"{'left behind':<44}{len(left):>8}")


def remove_all(host: ContainerCompute) -> None:
    for machine in host.machines():
        host.remove(machine)


def single(host: ContainerCompute, private: Path, addresses: dict[int, str]) -> None:
    for name, seconds in one(host, private, 100, addresses[100]).items():
        print(f"{'one machine: ' + name:<44}{seconds:>8.2f} s")
    began = monotonic()
    host.stop("i-bench100")
    print(f"{'one machine: stop':<44}{monotonic() - began:>8.2f} s")
    began = monotonic()
    host.start(spec(100))
    wait(lambda: banner(addresses[100]).startswith(b"SSH-"))
    print(f"{'one machine: start again to SSH banner':<44}{monotonic() - began:>8.2f} s")
    began = monotonic()
    host.remove("i-bench100")
    print(f"{'one machine: remove':<44}{monotonic() - began:>8.2f} s")


def at_once(host: ContainerCompute, private: Path, addresses: dict[int, str], many: int) -> None:
    before, began = available(), monotonic()
    with ThreadPoolExecutor(many) as pool:
        jobs = [pool.submit(one, host, private, n, addresses[n]) for n in range(101, 101 + many)]
        done = [job.result() for job in jobs]
    for name in done[0]:
        print(f"{f'{many} at once: last {name}':<44}{max(times[name] for times in done):>8.2f} s")
    costs = [memory(host, n) for n in range(101, 101 + many)]
    print(f"{'memory of a watcher (conmon), each':<44}{sum(c[0] for c in costs) / many / 2**20:>8.1f} MiB")
    print(f"{'memory of a guest (own processes), each':<44}{sum(c[1] for c in costs) / many / 2**20:>8.1f} MiB")
    print(f"{'memory gone from the host, each':<44}{(before - available()) / many / 2**20:>8.1f} MiB")
    print(f"{'all up after':<44}{monotonic() - began:>8.2f} s")


if __name__ == "__main__":
    main()
