"""States move only as the table says; a move is a write, an event and a meter in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from cloudjar.base.caller import root
from cloudjar.base.clock import SimClock
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import State
from cloudjar.kit.events import Events
from cloudjar.kit.machine import IllegalMoveError, Machine, Step
from cloudjar.kit.quota import Quotas
from cloudjar.kit.record import Record, record
from cloudjar.kit.usage import Meter, Usage, meters
from cloudjar.kit.wakes import Wake, WakeTable
from cloudjar.store.database import Database
from cloudjar.store.sealer import Sealer
from cloudjar.store.tables import Tables
from tests.store.failing import undone

ACCOUNT, REGION = "000000000000", "eu-west-3"


@record("test", "lamp")
class Lamp(Record, frozen=True, kw_only=True):
    """Something that is on or off."""

    id: str
    state: str = "off"
    colour: str = ""


LAMP = Machine(Lamp, start="off", source="test", event="Lamp Changed", event_key="lamp", moves="""
    off     -> on
    on      -> off | broken
""")  # fmt: skip
LIGHT = Meter("Test", "Light", "", "Hrs")


@meters(Lamp)
def light_hours(lamp: Lamp) -> Iterable[Meter]:
    """Light costs while it is on."""
    return (LIGHT,) if lamp.state == "on" else ()


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def ctx(tmp_path: Path, clock: SimClock) -> Ctx:
    database = Database(tmp_path / "a.db", durable=False)
    tables = Tables(database)
    state = State(tables, Usage(database, clock), WakeTable(database, clock), Quotas(tables))
    world = World(state, clock, Events(database, clock), Sealer(None), {})
    return Ctx(world, ACCOUNT, REGION, root(ACCOUNT))


def spans(ctx: Ctx) -> list[tuple[float, float | None]]:
    """(start, end) in seconds after the clock's first instant."""
    first = SimClock().now()
    return [
        ((s.start - first).total_seconds(), None if s.end is None else (s.end - first).total_seconds())
        for s in ctx.world.state.usage.spans(first - timedelta(days=1), first + timedelta(days=999))
    ]


def test_the_table_is_read() -> None:
    assert LAMP.states == {"off", "on", "broken"}
    assert LAMP.moves["on"] == {"off", "broken"}


def test_a_move_writes_meters_and_says_so(ctx: Ctx, clock: SimClock) -> None:
    lamp = ctx.db[Lamp].add(Lamp(id="l"))
    lamp = LAMP.move(ctx, lamp, "on", colour="red")
    clock.advance(timedelta(hours=2))
    LAMP.move(ctx, lamp, "off")
    assert ctx.db[Lamp].need("l").colour == "red"
    assert spans(ctx) == [(0.0, 7200.0)]
    said = ctx.world.events.since(0)
    assert [(e.detail["lamp"], e.detail["state"]) for e in said] == [("l", "on"), ("l", "off")]
    assert said[0].resources == (f"arn:aws:test:{REGION}:{ACCOUNT}:lamp/l",)


@pytest.mark.parametrize(("state", "to"), [("off", "broken"), ("broken", "on"), ("off", "off"), ("on", "nowhere")])
def test_an_illegal_move_raises_and_nothing_happens(ctx: Ctx, state: str, to: str) -> None:
    lamp = ctx.db[Lamp].add(Lamp(id="l", state=state))
    with pytest.raises(IllegalMoveError, match=f"cannot go from {state} to {to}"):
        LAMP.move(ctx, lamp, to)
    assert ctx.db[Lamp].need("l") == lamp
    assert ctx.world.events.since(0) == []


def test_what_is_rolled_back_costs_nothing_and_was_not_said(ctx: Ctx) -> None:
    lamp = ctx.db[Lamp].add(Lamp(id="l"))
    with undone(ctx.world.state.database):
        LAMP.move(ctx, lamp, "on")
    assert spans(ctx) == []
    assert ctx.world.events.since(0) == []
    assert ctx.db[Lamp].need("l").state == "off"


def test_a_record_that_is_dropped_stops_costing(ctx: Ctx, clock: SimClock) -> None:
    lamp = ctx.db[Lamp].add(Lamp(id="l", state="on"))
    clock.advance(timedelta(seconds=90))
    ctx.db[Lamp].drop(lamp)
    assert spans(ctx) == [(0.0, 90.0)]


def test_a_change_that_no_meter_sees_leaves_the_span_whole(ctx: Ctx, clock: SimClock) -> None:
    lamp = ctx.db[Lamp].add(Lamp(id="l", state="on"))
    clock.advance(timedelta(hours=1))
    ctx.db[Lamp].put(Lamp(account=ACCOUNT, region=REGION, id="l", state="on", colour="blue"))
    assert spans(ctx) == [(0.0, None)]
    assert lamp.colour == ""


def test_a_year_in_one_jump_is_one_span(ctx: Ctx, clock: SimClock) -> None:
    lamp = ctx.db[Lamp].add(Lamp(id="l", state="on"))
    clock.advance(timedelta(days=365))
    LAMP.move(ctx, lamp, "off")
    clock.advance(timedelta(days=365))
    LAMP.move(ctx, ctx.db[Lamp].need("l"), "on")
    assert spans(ctx) == [(0.0, 365 * 86400.0), (730 * 86400.0, None)]
    first = SimClock().now()
    inside = ctx.world.state.usage.spans(first + timedelta(days=400), first + timedelta(days=500))
    assert inside == [], "nothing was used between the two"


def test_the_same_id_in_another_account_is_another_meter(ctx: Ctx, clock: SimClock) -> None:
    mine = ctx.db[Lamp].add(Lamp(id="l", state="on"))
    other = ctx.at("111111111111", REGION)
    other.db[Lamp].add(Lamp(id="l", state="on"))
    clock.advance(timedelta(hours=1))
    ctx.db[Lamp].drop(mine)
    assert sorted(spans(ctx), key=str) == [(0.0, 3600.0), (0.0, None)]


def step(ctx: Ctx) -> Step:
    return Step(ctx.world, Wake("test/lamp", ACCOUNT, REGION, "l", "", 0.0, 1, 0))


def test_a_reconciler_moves_only_what_is_still_as_it_was(ctx: Ctx) -> None:
    ctx.db[Lamp].add(Lamp(id="l", state="on"))
    assert step(ctx).move(LAMP, "off", "on") is None
    moved = step(ctx).move(LAMP, "on", "broken")
    assert moved is not None
    assert moved.state == "broken"


def test_a_reconciler_decides_on_the_record_as_it_is_now(ctx: Ctx) -> None:
    assert step(ctx).change(Lamp, lambda lamp: lamp) is None, "it was dropped meanwhile"
    lamp = ctx.db[Lamp].add(Lamp(id="l"))
    assert step(ctx).change(Lamp, lambda _: None) == lamp
    again = step(ctx)
    again.again("look", ctx.now + timedelta(hours=1))
    again.soon(5)
    due = ctx.world.state.wakes.due(until=ctx.now + timedelta(hours=2))
    assert [one.purpose for one in due] == ["poll", "look"]


def test_put_needs_a_record_that_is_there(ctx: Ctx) -> None:
    with pytest.raises(LookupError, match="use add"):
        ctx.db[Lamp].put(Lamp(account=ACCOUNT, region=REGION, id="nobody"))
