"""What a database costs: from create-db-instance to an answer, an idle PostgreSQL's memory, and what pgbench gets
through the endpoint of what it gets from the same programs run bare; on real planes, images cached.

    sudo .venv/bin/python bench/rds_instances.py [--times 5] [--seconds 10] [--rounds 3] [--only creation|memory|...]

The bare engine has the instance's own configuration, TLS too, and its data beside the jar's; who asks is the same
program, there at 127.0.0.1 and here in the network of a machine of the VPC. On a machine that others use too, all
guests together get what one process gets of its CPUs, and a bare engine gets that for each of its processes: the CPU
time that a transaction takes, client and engine together, says what is left of the difference when nobody is there.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.machines import TICK, rss
from cloudjar.base.clock import monotonic
from cloudjar.planes.compute.cgroups import Groups
from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.compute.metering import cpu_seconds
from cloudjar.planes.database import image
from tests.host.jar.engines import PASSWORD, Said, Site
from tests.host.jar.served import real_jar, until

CREATION, MEMORY, SHARE = 6.0, 60.0, 0.85
"""Seconds, MB, and of what the bare engine does."""
BARE_PORT = 15432
_SCALE = 10
_IDLE = 20
"""Seconds after which an instance that nobody asks is idle."""
# In a mount namespace of its own, so that nothing of it is left when it ends.
_IN_IMAGE = (
    'mount --rbind /dev "$1/dev"; mount --bind "$2" "$1/var/lib/containers"; root=$1; shift 2; exec chroot "$root" "$@"'
)
_AS = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")


def created(site: Site, name: str, engine: str) -> tuple[float, float]:
    """Seconds from the call until a client in the VPC is answered, and until the instance is said to be available."""
    began = monotonic()
    site.rds.create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine=engine, MasterUsername="boss",
        MasterUserPassword=PASSWORD, AllocatedStorage=20, DBSubnetGroupName="private", DBName="store",
        VpcSecurityGroupIds=[site.group], PubliclyAccessible=False, BackupRetentionPeriod=0,
    )  # fmt: skip
    until(lambda: "Endpoint" in site.show(name), f"an endpoint of {name}", 120, 0.05)
    said = monotonic() - began
    until(lambda: asked(site, name, engine).code == 0, f"{name} to answer", 60, 0.02)
    return monotonic() - began, said


def asked(site: Site, name: str, engine: str) -> Said:
    """One question."""
    return site.psql(name, "SELECT 1") if engine == "postgres" else site.mysql(name, "SELECT 1")


def creation(site: Site, times: int) -> bool:
    """Both engines, one instance after another; True when the bar is kept."""
    kept = True
    for engine in ("postgres", "mariadb"):
        site.create("first", engine)  # its image is built, and read
        site.delete("first")
        found = []
        for n in range(times):
            found.append(created(site, f"new-{n}", engine))
            site.delete(f"new-{n}")
        answers = [answer for answer, _ in found]
        print(
            f"create-db-instance {engine}: answers after {median(answers):.2f} s, {max(answers):.2f} s at worst "
            f"(available after {median(said for _, said in found):.2f} s); bar {CREATION:.0f} s",
            flush=True,
        )
        kept = kept and median(answers) <= CREATION
    return kept


def memory(site: Site) -> bool:
    """What the processes of a PostgreSQL that nobody asks have, shared pages by their share."""
    site.create("idle", "postgres")
    machine = site.machine("idle")
    TICK.wait(_IDLE)
    pids = Groups(site.jar.compute.tag, machine).pids()
    keepers = {pid for pid in pids if b"conmon" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]}
    own, watcher = rss(pids - keepers) / 1e6, rss(keepers) / 1e6
    print(f"an idle PostgreSQL: {own:.1f} MB in {len(pids - keepers)} processes, and {watcher:.1f} MB of its watcher; "
          f"bar {MEMORY:.0f} MB", flush=True)  # fmt: skip
    site.delete("idle")
    return own + watcher <= MEMORY


class Bare:
    """The same programs, run on the host as they are."""

    def __init__(self, site: Site, name: str, folder: Path) -> None:
        store = ImageStore()
        self.root, self.folder, self.pid = store.path(image.prepared(store, "postgres", "15")), folder, 0
        folder.mkdir()
        (folder / "run").mkdir(mode=0o777)
        shutil.copytree(_guest(site, site.machine(name)) / "var/lib/containers/conf", folder / "conf")
        (folder / "conf" / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.1/32 trust\n")
        self.run(["chown", "-R", "postgres:postgres", "/database/conf", "/database/run"])
        self.run(["install", "-d", "-o", "postgres", "-g", "postgres", "-m", "700", "/database/data"])
        made = ["-D", "/database/data", "-U", "boss", "-E", "UTF8", "--locale=en_US.UTF-8", "--data-checksums"]
        self.run([*_AS, *_program("initdb"), *made])

    def run(self, argv: list[str]) -> str:
        """A program in the image, with the bare engine's data where an instance's are."""
        done = subprocess.run(self.command(argv), capture_output=True, text=True, check=False, timeout=600,
                              env={**os.environ, "PGPASSWORD": PASSWORD})  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{argv} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
        return done.stdout

    def command(self, argv: list[str]) -> list[str]:
        """Likewise, as it is begun."""
        return ["unshare", "--mount", "sh", "-ec", _IN_IMAGE, "sh", str(self.root), str(self.folder), *argv]

    @contextmanager
    def up(self) -> Iterator[None]:
        """While this lasts it runs."""
        argv = [*_AS, *_program("postgres"), "-D", "/database/data"]
        argv += ["-c", "config_file=/database/conf/postgresql.conf", "-c", f"port={BARE_PORT}"]
        argv += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=/database/run"]
        with (self.folder / "said").open("w") as said, subprocess.Popen(self.command(argv), stderr=said) as engine:
            self.pid = engine.pid
            ready = [*_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(BARE_PORT)]
            try:
                until(lambda: engine.poll() is not None or not subprocess.call(self.command(ready)), "the bare engine")
                yield
            finally:
                engine.terminate()


def spent(site: Site, bare: Bare, machine: str, where: str) -> float:
    """Seconds of CPU time of clients that have ended, and of the engine with all of its processes."""
    asking = resource.getrusage(resource.RUSAGE_CHILDREN)
    if where == "endpoint":
        return asking.ru_utime + asking.ru_stime + cpu_seconds(site.jar.compute.tag, machine)
    ticks = sum(map(int, _stat(bare.pid)[11:15]))
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = _stat(int(process.name))
            ticks += sum(map(int, fields[11:13])) if int(fields[1]) == bare.pid else 0
    return asking.ru_utime + asking.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """What the kernel says of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _guest(site: Site, machine: str) -> Path:
    """A machine's own files."""
    life = site.jar.life(machine)
    assert life is not None
    return Path(f"/proc/{life[0]}/root")


def _program(name: str) -> list[str]:
    return ["/usr/lib/engine/server/" + name]


def pgbench(site: Site, bare: Bare, name: str, where: str, words: list[str]) -> str:
    """What pgbench says, of the instance or of the bare engine."""
    if where == "bare":
        target = f"host=127.0.0.1 port={BARE_PORT} user=boss dbname=store sslmode=require"
        return bare.run([*_program("pgbench"), *words, target])
    target = f"host={site.resolve(name)} user=boss dbname=store sslmode=require"
    enter = ["nsenter", f"--net={site.jar.network.guest_path(site.backend)}"]
    done = subprocess.run(
        [*enter, *bare.command([*_program("pgbench"), *words, target])], capture_output=True, text=True, check=True,
        env={**os.environ, "PGPASSWORD": PASSWORD}, timeout=600,
    )  # fmt: skip
    return done.stdout


def shares(site: Site, seconds: int, rounds: int) -> bool:
    """Transactions a second of both, in turns; True when the bar is kept."""
    site.create("load", "postgres")
    bare, machine = Bare(site, "load", site.jar.home / "bare"), site.machine("load")
    kept = True
    with bare.up():
        bare.run([*_program("createdb"), "-h", "127.0.0.1", "-p", str(BARE_PORT), "-U", "boss", "store"])
        for where in ("endpoint", "bare"):
            pgbench(site, bare, "load", where, ["-i", "-q", "-s", str(_SCALE)])
        for title, words in (("reads", ["-S"]), ("writes", ["-N"]), ("TPC-B", [])):
            found: dict[str, list[tuple[float, float]]] = {"endpoint": [], "bare": []}
            for _ in range(rounds):
                for where, rates in found.items():
                    before = spent(site, bare, machine, where)
                    said = pgbench(site, bare, "load", where, [*words, "-c", "4", "-j", "2", "-T", str(seconds), "-n"])
                    rate, count = (re.search(rf"{word}([0-9.]+)", said) for word in ("tps = ", "actually processed: "))
                    assert rate is not None, said
                    assert count is not None, said
                    rates.append((float(rate[1]), (spent(site, bare, machine, where) - before) / int(count[1]) * 1e6))
            (mine, costs), (theirs, cost) = (map(median, zip(*rates, strict=True)) for rates in found.values())
            print(f"pgbench, {title}: {mine:.0f} a second through the endpoint, {theirs:.0f} bare: "
                  f"{mine / theirs:.0%}; bar {SHARE:.0%}. CPU a transaction: {costs:.0f} and {cost:.0f} us "
                  f"({cost / costs:.0%})", flush=True)  # fmt: skip
            kept = kept and mine / theirs >= SHARE
    site.delete("load")
    return kept


def main() -> int:
    """0 when every bar was kept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("creation", "memory", "pgbench"))
    told = parser.parse_args()
    kept = []
    with real_jar() as jar:
        site = Site(jar)
        if told.only in (None, "creation"):
            kept.append(creation(site, told.times))
        if told.only in (None, "memory"):
            kept.append(memory(site))
        if told.only in (None, "pgbench"):
            kept.append(shares(site, told.seconds, told.rounds))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
