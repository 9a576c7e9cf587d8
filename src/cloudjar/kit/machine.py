"""State machines as tables, and the reconcilers that drive them. Illegal moves raise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.record import Record, arn_of, meta
from cloudjar.kit.wakes import Wake, reconciled


class Stateful(Protocol):
    """A record with a state."""

    @property
    def state(self) -> str: ...


R = TypeVar("R", bound=Record)


class IllegalMoveError(Exception):
    """Our bug: a move that the table does not have."""


class Machine(Generic[R]):
    """The states of a record type and the legal moves between them.

    `moves` has one line per state: ``pending -> running | terminated``. Every move emits `event` (an EventBridge
    detail type) with ``state`` and the id under `event_key`.
    """

    def __init__(
        self, cls: type[R], *, start: str, moves: str, source: str = "", event: str = "", event_key: str = ""
    ) -> None:
        self.cls = cls
        self.start = start
        self.moves = _parse(moves)
        self._source = source
        self._event = event
        self._event_key = event_key

    @property
    def states(self) -> set[str]:
        """Every state of the table."""
        return set(self.moves) | {to for targets in self.moves.values() for to in targets}

    def move(self, ctx: Ctx, item: R, to: str, **changes: Any) -> R:
        """Store the record in its new state; emits the event. Raises `IllegalMoveError`."""
        state = _state(item)
        if to not in self.moves.get(state, ()):
            raise IllegalMoveError(f"{meta(self.cls).spec.name} cannot go from {state} to {to}")
        moved = ctx.db.at(item.account, item.region)[self.cls].put(replace(item, state=to, **changes))
        self.announce(ctx, moved)
        return moved

    def announce(self, ctx: Ctx, item: R) -> None:
        """Emit the state-change event of a record as it now is (also its first state)."""
        if self._event:
            detail = {self._event_key: meta(self.cls).key_of(item), "state": _state(item)}
            ctx.world.events.emit(item.account, item.region, self._source, self._event, detail, (arn_of(item),))


def _state(item: Record) -> str:
    state: str = item.state  # type: ignore[attr-defined]  # records of a machine have one
    return state


def _parse(moves: str) -> dict[str, frozenset[str]]:
    table: dict[str, frozenset[str]] = {}
    for line in moves.strip().splitlines():
        state, _, targets = line.partition("->")
        table[state.strip()] = frozenset(t.strip() for t in targets.split("|"))
    return table


class Step:
    """One look of a reconciler at one record: short transactions around what the host is told."""

    def __init__(self, world: World, wake: Wake) -> None:
        self.world = world
        self.wake = wake
        self.key = wake.key
        self.ctx = Ctx(world, wake.account, wake.region, service_caller("cloudjar.internal", wake.account))
        self.db = self.ctx.db

    def port(self, name: str) -> Any:
        """A plane's port."""
        return self.world.ports[name]

    def change(self, cls: type[R], decide: Callable[[R], R | None]) -> R | None:
        """Re-read the record and store what `decide` makes of it, in one transaction; None leaves it.

        What the host did took time, so a decision is always made on the record as it is now.
        """
        with self.world.state.database.transaction():
            now = self.db[cls].get(self.key)
            if now is None:
                return None
            after = decide(now)
            return now if after is None else self.db[cls].put(after)

    def move(self, machine: Machine[R], expect: str, to: str, **changes: Any) -> R | None:
        """Move the record if it is still in the state `expect`; None when it moved on meanwhile."""
        with self.world.state.database.transaction():
            item = self.db[machine.cls].get(self.key)
            if item is None or _state(item) != expect:
                return None
            return machine.move(self.ctx, item, to, **changes)

    def again(self, purpose: str, at: datetime) -> None:
        """A durable alarm: look at this record again at an instant of AWS time."""
        with self.world.state.database.transaction():
            self.world.state.wakes.wake(
                self.wake.table, self.wake.account, self.wake.region, self.key, purpose=purpose, due=at
            )

    def early(self, due: float, purpose: str = "state") -> bool:
        """Whether what ends at an instant of AWS time (Unix seconds) goes on; the record is looked at again then."""
        if due <= self.ctx.now.timestamp():
            return False
        self.again(purpose, datetime.fromtimestamp(due, UTC))
        return True

    def soon(self, seconds: float, purpose: str = "poll") -> None:
        """Look again after some seconds of the machine's, at whatever pace AWS time passes."""
        with self.world.state.database.transaction():
            self.world.state.wakes.soon(self.wake, seconds, purpose)


Converge = Callable[[Step, Any], None]
_RECONCILERS: dict[str, Converge] = {}
_BOOT: dict[str, list[Callable[[World], None]]] = {}


def reconciler(
    cls: type[R], *, together: bool = False
) -> Callable[[Callable[[Step, R | None], None]], Callable[[Step, R | None], None]]:
    """Decorator: how a record of this type is brought from what is to what is wanted.

    Called with the record, or None when it was removed; must be idempotent; raises `PlaneError` to be tried again.
    `together` says that it only changes the database (see `wakes.reconciled`).
    """

    def declare(function: Callable[[Step, R | None], None]) -> Callable[[Step, R | None], None]:
        table = meta(cls).spec.name
        _RECONCILERS[table] = function
        reconciled(table, together=together)
        return function

    return declare


def on_boot(service: str) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    """Decorator: what a service does once when the jar starts and has records of it (wake, sweep); several may be."""

    def declare(function: Callable[[World], None]) -> Callable[[World], None]:
        _BOOT.setdefault(service, []).append(function)
        return function

    return declare


def boot(service: str, world: World) -> None:
    """Run a loaded service's boot hooks, in the order of their modules."""
    for hook in _BOOT.get(service, ()):
        hook(world)


def reconcile(world: World, wake: Wake) -> None:
    """Run the reconciler of a wake-up; its service is loaded already."""
    function = _RECONCILERS.get(wake.table)
    declared = meta_of(wake.table)
    if function is None or declared is None:
        return
    step = Step(world, wake)
    function(step, world.state.tables.get(declared.spec, wake.account, wake.region, wake.key))


def meta_of(table: str) -> Any:
    """The declaration behind a table name."""
    from cloudjar.kit.record import by_table

    return by_table(table)
