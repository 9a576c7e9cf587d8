"""Load balancer nodes as HAProxy processes, each in the network namespace of its own ENI; Linux with root.

A node is a folder: its configuration, its certificates, its admin socket. The process outlives this server. A node
that changes is a new process that takes the listening sockets over; the old one ends with its last request.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.process import need_tool, run
from cloudjar.planes.network import namespaces, nft
from cloudjar.planes.network.netlink import Netlink
from cloudjar.planes.proxy import flows, journal, processes, relaying, statistics
from cloudjar.planes.proxy.configuration import files, new_server_states
from cloudjar.planes.proxy.port import Carried, Connection, Counted, Node, Request, TargetHealth
from cloudjar.planes.proxy.talking import Talk, ask

_LOOK_SECONDS = 0.5
_FLOWS_EVERY = 20
"""Looks between two at what the kernel counted: it takes a program."""
_ENDED = 16
"""Processes that are gone whose last counts are remembered."""
_PREFERENCE = 100
_RIGHTS = ("kill", "net_admin", "net_bind_service", "net_raw", "sys_chroot")
_PARTS = (".pem", ".body", ".certificates", ".authorities", ".revoked")
_LONGEST_SOCKET = 94
"""A Unix socket's path has 107 bytes at most, and HAProxy makes a new one beside the old under a longer name."""


class HaproxyNodes:
    """Nodes in `folder`, which must be this installation's alone. Safe from any thread."""

    name = "haproxy"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[str, threading.Lock] = {}
        self._seen: dict[str, dict[tuple[str, str], TargetHealth] | None] = {}
        self._nodes: dict[str, Node] = {}
        self._steered: dict[str, tuple[int, str]] = {}
        """Namespace and packet rules of nodes with relays, as this process wrote them."""
        self._ended: dict[str, list[Counted]] = {}
        """What processes had counted when others took over from them."""
        self._told: dict[str, dict[str, int]] = {}
        """What a node had counted when somebody was told that it is busy, or asked."""
        self._looks = 0
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None

    def apply(self, node: Node) -> None:
        """Make the host run exactly this node."""
        with self._turn(node.id):
            if len(str(self._home(node.id) / "admin.sock")) > _LONGEST_SOCKET:
                raise PlaneError(f"{self._folder} is too long a path for sockets. Try: a home nearer to /.")
            if not os.path.exists(node.namespace):
                raise PlaneError(f"The network of {node.id} is not laid out yet.")
            home = self._home(node.id)
            wanted = files(node, str(home))
            mark = _mark(_inode(node), wanted)
            running = [p for p in processes.of(home / "haproxy.cfg") if processes.lives_in(p, node.namespace)]
            self._nodes[node.id] = node
            if running and _read(home / "applied") == mark and self._newest(home) in running:
                self._steer(node)
                return
            strangers = [p for p in processes.of(home / "haproxy.cfg") if p not in running]
            processes.end(strangers)  # of a network that is no more
            self._write(home, wanted)
            _replace(home / "states", self._states(home, node, running))
            self._launch(node, home, running)
            _replace(home / "applied", mark)
            self._steer(node)

    def _steer(self, node: Node) -> None:
        """Lead the flows that the kernel carries to the targets that are well now."""
        if not node.relays and node.id not in self._steered:
            return
        text = relaying.ruleset(node, self.health(node.id))
        known = (_inode(node), text)
        if self._steered.get(node.id) != known:
            _inside(node, lambda: _relay(node, text))
            _inside(node, lambda: flows.ensure(node))
            self._steered[node.id] = known

    def remove(self, node_id: str) -> None:
        """End the node at once and remove every trace of it."""
        with self._turn(node_id):
            home = self._home(node_id)
            processes.end(processes.of(home / "haproxy.cfg"))
            shutil.rmtree(home, ignore_errors=True)
            for memory in (self._seen, self._nodes, self._steered, self._ended, self._told):
                memory.pop(node_id, None)

    def nodes(self) -> list[str]:
        """Every node that has a folder."""
        return sorted(p.name for p in self._folder.glob("*") if p.is_dir())

    def health(self, node_id: str) -> dict[tuple[str, str], TargetHealth]:
        """What the probes of the running proxy say."""
        home = self._home(node_id)
        try:
            return statistics.health(ask(home, "show stat"))
        except OSError:
            return {}

    def carried(self, node_id: str) -> Carried | None:
        """What its interface has received: all that clients sent, and all that targets answered."""
        node = self._nodes.get(node_id)
        if node is None or not os.path.exists(node.namespace):
            return None
        received: list[int] = []
        _inside(node, lambda: received.append(_received()))
        return Carried(born=str(_inode(node)), received=received[0])

    def counted(self, node_id: str) -> tuple[Counted, ...]:
        """What its processes have counted; of relays, the kernel."""
        now = self._count(node_id)
        if now is None:
            return ()
        self._told[node_id] = now.amounts
        return (*self._ended.get(node_id, ()), now)

    def _count(self, node_id: str) -> Counted | None:
        node = self._nodes.get(node_id)
        if node is not None and node.relays:
            found: list[Counted | None] = []
            with suppress(PlaneError):
                _inside(node, lambda: found.append(flows.counted(node)))
            return found[0] if found else None
        home = self._home(node_id)
        try:
            return statistics.counted(ask(home, "show info"), ask(home, "show stat"))
        except OSError:
            return None

    def watch(self, changed: Callable[[str], None], busy: Callable[[str], None] = lambda _: None) -> None:
        """Look at every node twice a second, in a thread of its own."""
        self._watcher = threading.Thread(
            target=self._look, args=(changed, busy), name="cloudjar-proxies", daemon=True
        )
        self._watcher.start()

    def release(self) -> None:
        """Stop looking; the nodes stay."""
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join()

    # -- parts
    def _turn(self, node_id: str) -> threading.Lock:
        return self._locks.setdefault(node_id, threading.Lock())

    def _home(self, node_id: str) -> Path:
        if not node_id.replace("-", "").isalnum():
            raise ValueError(f"not the id of a node: {node_id!r}")
        return self._folder / node_id

    def _newest(self, home: Path) -> int:
        text = _read(home / "pid").strip()
        return int(text) if text.isdigit() else 0

    def _write(self, home: Path, wanted: dict[str, str]) -> None:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / "empty").mkdir(exist_ok=True, mode=0o755)
        for name, content in wanted.items():
            _replace(home / name, content)
        for old in home.iterdir():  # keys of certificates that went must not stay
            if old.suffix in _PARTS and old.name not in wanted:
                old.unlink()

    def _states(self, home: Path, node: Node, running: list[int]) -> str:
        """What probes have found so far, and new targets as not yet found well."""
        known: list[str] = []
        if running:
            with suppress(OSError):
                known = [line for line in ask(home, "show servers state").splitlines()[2:] if line.strip()]
        told = {(line.split()[1], line.split()[3]) for line in known}
        fresh = [line for line in new_server_states(node) if (line.split()[1], line.split()[3]) not in told]
        return "\n".join(["1", statistics.STATE_FIELDS, *known, *fresh]) + "\n"

    def _launch(self, node: Node, home: Path, running: list[int]) -> None:
        argv = [*_confined(node), need_tool("haproxy", "haproxy"), "-D"]
        argv += ["-f", str(home / "haproxy.cfg"), "-p", str(home / "pid")]
        if running and (home / "admin.sock").exists():
            argv += ["-x", str(home / "admin.sock")]
        last = None
        if running:
            argv += ["-sf", *map(str, running)]
            with suppress(OSError):
                last = Talk(home)
        try:
            _inside(node, lambda: self._run(node, home, argv))
            self._remember(node.id, last)
        finally:
            if last is not None:
                last.close()

    def _run(self, node: Node, home: Path, argv: list[str]) -> None:
        """Start it; one that logs finds the file of its lines open."""
        what = f"the proxy {node.id}"
        if not node.logs:
            run(argv, what=what, timeout=30)
            return
        shell = f'exec {journal.DESCRIPTOR}>>"$0" && exec "$@"'
        run(["sh", "-c", shell, str(journal.fresh(home)), *argv], what=what, timeout=30)

    def requests(self, node_id: str, places: Mapping[str, int]) -> tuple[list[Request], dict[str, int]]:
        """Lines of its processes' files."""
        return journal.read(self._home(node_id), places)

    def connections(self, node_id: str, places: Mapping[str, int]) -> tuple[list[Connection], dict[str, int]]:
        """The same files, for what they say of connections."""
        return journal.read_connections(self._home(node_id), places)

    def _remember(self, node_id: str, last: Talk | None) -> None:
        """Another process has taken over: what the last one counted is asked for now, or never."""
        if last is None:
            return
        with suppress(OSError):
            counted = statistics.counted(last.ask("show info"), last.ask("show stat"))
            self._ended[node_id] = [*self._ended.get(node_id, ()), counted][-_ENDED:]
            self._told.pop(node_id, None)

    def _look_for_work(self, node_id: str, busy: Callable[[str], None]) -> None:
        """Tell once that something was counted, until somebody asks what."""
        node = self._nodes.get(node_id)
        if node is None or (node.relays and self._looks % _FLOWS_EVERY):
            return
        now = self._count(node_id)
        if now is None or self._told.get(node_id) == _UNASKED:
            return
        if any(count for name, count in _work(now.amounts).items() if count != self._told.get(node_id, {}).get(name)):
            self._told[node_id] = _UNASKED
            busy(node_id)

    def _look(self, changed: Callable[[str], None], busy: Callable[[str], None]) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            self._looks += 1
            for node_id in self.nodes():
                self._look_for_work(node_id, busy)
                now = self.health(node_id) if self._alive(node_id) else None
                if self._seen.get(node_id, {}) != now:
                    self._seen[node_id] = now
                    self._resteer(node_id)
                    changed(node_id)

    def _resteer(self, node_id: str) -> None:
        """What is well has changed: new flows must not wait for anybody's record of it."""
        with self._turn(node_id):
            node = self._nodes.get(node_id)
            if node is not None:
                with suppress(PlaneError, OSError):  # its network is going; the next `apply` says so
                    self._steer(node)

    def _alive(self, node_id: str) -> bool:
        """Whether somebody answers at the admin socket."""
        with suppress(OSError):
            ask(self._home(node_id), "show info")
            return True
        return False


_UNASKED = {"": -1}


def _work(amounts: dict[str, int]) -> dict[str, int]:
    """What clients alone cause: a relay's bytes and packets are also those of probes."""
    return {name: count for name, count in amounts.items() if name not in ("bytes", "packets")}


def _received() -> int:
    lines = Path("/proc/thread-self/net/dev").read_text().splitlines()
    fields = [line.partition(":") for line in lines]
    return sum(int(rest.split()[0]) for name, _, rest in fields if name.strip().startswith("eth"))


def _confined(node: Node) -> list[str]:
    """What a proxy is started by that must stay root: of root's rights it keeps those without which it is no proxy."""
    if not relaying.lending(node):
        return []
    kept = ",".join(f"+{name}" for name in _RIGHTS)
    return [need_tool("setpriv", "util-linux"), f"--bounding-set=-all,{kept}", "--no-new-privs"]


def _inside(node: Node, work: Callable[[], object]) -> None:
    try:
        namespaces.inside(Path(node.namespace).name, work)
    except FileNotFoundError:  # whoever lays networks out was quicker
        raise PlaneError(f"The network of {node.id} is gone.") from None


def _relay(node: Node, text: str) -> None:
    """Inside the node's namespace: its settings and its packet rules."""
    for key, value in relaying.settings(node).items():
        Path("/proc/sys/net", key).write_text(value)
    for link in Path("/proc/sys/net/ipv4/conf").glob("eth*"):
        for key in ("rp_filter", "send_redirects"):
            (link / key).write_text("0")
    nft.transaction(text)
    if relaying.lending(node):
        with Netlink() as kernel:
            loopback = kernel.link("lo")
            if loopback is not None:
                kernel.add_rule(_PREFERENCE, relaying.OWN_MARK, mark=relaying.OWN_MARK)
                kernel.set_local(relaying.OWN_MARK, "0.0.0.0/0", loopback.index)


def _inode(node: Node) -> int:
    try:
        return os.stat(node.namespace).st_ino
    except FileNotFoundError:
        raise PlaneError(f"The network of {node.id} is gone.") from None


def _mark(inode: int, wanted: dict[str, str]) -> str:
    return hashlib.sha256(repr((inode, sorted(wanted.items()))).encode()).hexdigest()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _replace(path: Path, content: str) -> None:
    """Replace a file whole; only root may read it (certificates' keys are among them)."""
    new = path.with_name(path.name + ".new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", newline="") as file:
        file.write(content)
    os.replace(new, path)
