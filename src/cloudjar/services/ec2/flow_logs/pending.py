"""Flows that were counted and are not delivered yet: a row for each, by flow log; they outlive the server.

What the network counts is told once, to whoever asks first: so every asker puts it down for all flow logs that it is
for, each of which delivers at its own times.
"""

from __future__ import annotations

from cloudjar.kit.context import Assumed, World
from cloudjar.services.ec2.flow_logs.lines import Seen
from cloudjar.store.database import Database

_PORT = "ec2.flows"
_KEY = "log, interface, direction, action, source, target, source_port, target_port, protocol, reason"
_COUNTED = "packets, bytes, start, stop"
_ROW = f"{_KEY.removeprefix('log, ').removesuffix(', reason')}, {_COUNTED}, reason"
"""In the order of `Seen`."""
MOST = 50_000
"""Flows that are held for one log; more are skipped, and a SKIPDATA record says so."""


def pending(world: World) -> Pending:
    """The tables of a jar; made at first use."""
    found: Pending | None = world.ports.get(_PORT)
    if found is None:
        found = world.ports[_PORT] = Pending(world.state.database)
    return found


class Pending:
    """The rows, and since when each VPC has not been asked. Writes run in the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sessions: dict[str, tuple[str, Assumed]] = {}
        """The role of each log and its session, which holds for an hour."""
        self.asked: set[str] = set()
        """The VPCs that this process has asked about: what another one had not asked for is lost."""
        with database.lock:
            database.execute(
                "CREATE TABLE IF NOT EXISTS flow_waiting (log TEXT, interface TEXT, direction TEXT, action TEXT, "
                "source TEXT, target TEXT, source_port INTEGER, target_port INTEGER, protocol INTEGER, reason TEXT, "
                "packets INTEGER, bytes INTEGER, start INTEGER, stop INTEGER, "
                f"PRIMARY KEY ({_KEY})) WITHOUT ROWID"
            )
            self._bring_over()
            database.execute("CREATE TABLE IF NOT EXISTS flow_skipped (log TEXT PRIMARY KEY) WITHOUT ROWID")
            database.execute("CREATE TABLE IF NOT EXISTS flow_asked (vpc TEXT PRIMARY KEY, at INTEGER) WITHOUT ROWID")

    def _bring_over(self) -> None:
        """What an installation held before rows had reasons."""
        if self._database.query("SELECT 1 FROM sqlite_master WHERE name='flow_pending'"):
            before = f"{_KEY.removesuffix(', reason')}, {_COUNTED}"
            with self._database.transaction():
                self._database.execute(
                    f"INSERT OR IGNORE INTO flow_waiting ({before}, reason) SELECT {before}, '' FROM flow_pending"
                )
                self._database.execute("DROP TABLE flow_pending")

    def last_asked(self, vpc: str) -> int | None:
        """When a VPC was last asked about, in Unix seconds."""
        found = self._database.query("SELECT at FROM flow_asked WHERE vpc=?", (vpc,))
        return int(found[0][0]) if found else None

    def now_asked(self, vpc: str, at: int) -> None:
        """A VPC has been asked about."""
        self._database.execute("INSERT OR REPLACE INTO flow_asked VALUES (?,?)", (vpc, at))

    def forget_vpc(self, vpc: str) -> None:
        """Nobody asks about a VPC any more."""
        self._database.execute("DELETE FROM flow_asked WHERE vpc=?", (vpc,))
        self.asked.discard(vpc)

    def add(self, log: str, flows: list[Seen]) -> None:
        """Put flows down for a log; counts of one flow add up."""
        (held,) = self._database.execute("SELECT count(*) FROM flow_waiting WHERE log=?", (log,)).fetchone()
        if held + len(flows) > MOST:
            self.skip(log)
            flows = flows[: max(MOST - held, 0)]
        self._database.executemany(
            f"INSERT INTO flow_waiting (log, {_ROW}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
            f"ON CONFLICT ({_KEY}) DO UPDATE SET packets = packets + excluded.packets, "
            "bytes = bytes + excluded.bytes, stop = excluded.stop",
            [(log, *flow) for flow in flows],
        )

    def skip(self, log: str) -> None:
        """Something of a log was lost."""
        self._database.execute("INSERT OR IGNORE INTO flow_skipped VALUES (?)", (log,))

    def take(self, log: str) -> tuple[list[Seen], bool]:
        """What is held for a log, and whether something was lost; it is held no more."""
        rows = self._database.execute(
            f"SELECT {_ROW} FROM flow_waiting WHERE log=? ORDER BY start, interface",
            (log,),
        ).fetchall()
        self._database.execute("DELETE FROM flow_waiting WHERE log=?", (log,))
        skipped = self._database.execute("DELETE FROM flow_skipped WHERE log=? RETURNING log", (log,)).fetchall()
        return [Seen(*row) for row in rows], bool(skipped)
