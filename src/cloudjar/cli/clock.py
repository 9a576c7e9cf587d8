"""`cloudjar clock`: AWS's time, and how to move it on."""

from __future__ import annotations

import re
from typing import Any

import click

from cloudjar.base.clock import FASTEST
from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import say, show_json

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@click.group(invoke_without_command=True)
@home_option
@json_option
@click.pass_context
def clock(ctx: click.Context, home: Home, as_json: bool) -> None:
    """The cloud's own time: states, schedules, bills and expiry follow it; signatures follow the real one."""
    ctx.obj = (home, as_json)
    if ctx.invoked_subcommand is None:
        _show(AdminClient(home).get("clock"), as_json)


@clock.command()
@click.pass_obj
def show(place: tuple[Home, bool]) -> None:
    """What time it is to AWS, and how fast it passes."""
    _show(AdminClient(place[0]).get("clock"), place[1])


@clock.command()
@click.argument("times", type=click.FloatRange(0, FASTEST))
@click.pass_obj
def speed(place: tuple[Home, bool], times: float) -> None:
    """Let time pass TIMES as fast: 60 makes a minute of every second, 1 is the machine's own pace.

    What is due happens when its time has come, as late as the machine needs for it; `advance` makes everything happen
    at its very instant. Instances work at their own pace: what they do in a second they do in TIMES seconds of AWS's.
    """
    _run_at(place, times)


@clock.command()
@click.pass_obj
def freeze(place: tuple[Home, bool]) -> None:
    """Stop the time until `resume`: nothing becomes due, expires or costs more. `advance` works all the same."""
    _run_at(place, 0)


@clock.command()
@click.pass_obj
def resume(place: tuple[Home, bool]) -> None:
    """Let time pass at the machine's pace again."""
    _run_at(place, 1)


def _run_at(place: tuple[Home, bool], times: float) -> None:
    home, as_json = place
    _show(AdminClient(home).post("clock-speed", speed=times), as_json)


@clock.command()
@click.argument("by")
@click.pass_obj
def advance(place: tuple[Home, bool], by: str) -> None:
    """Move time forward BY 30d, 2h, 90m, 1d12h ...; everything due on the way happens, in order."""
    home, as_json = place
    _show(AdminClient(home).post("clock", seconds=seconds(by)), as_json)


def seconds(text: str) -> int:
    """``30d``, ``2h``, ``1d12h``, ``90s`` as seconds; raises `click.BadParameter`."""
    parts = re.findall(r"(\d+)([smhdw])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise click.BadParameter(f"{text!r} is no length of time; write 30d, 2h, 90m or 1d12h", param_hint="BY")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        say(f"{found['now'][:19].replace('T', ' ')} UTC{pace(found['speed'])}")


def pace(times: float) -> str:
    """What is to be said of a clock that does not run at the machine's pace."""
    return "" if times == 1 else ", frozen" if times == 0 else f", {times:g} times as fast"
