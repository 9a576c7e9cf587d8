"""`cloudjar clock`: AWS's time, and how to move it on."""

from __future__ import annotations

import re

import click

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
        _show(AdminClient(home).get("clock")["now"], as_json)


@clock.command()
@click.argument("by")
@click.pass_obj
def advance(place: tuple[Home, bool], by: str) -> None:
    """Move time forward BY 30d, 2h, 90m, 1d12h ...; everything due on the way happens, in order."""
    home, as_json = place
    _show(AdminClient(home).post("clock", seconds=seconds(by))["now"], as_json)


def seconds(text: str) -> int:
    """``30d``, ``2h``, ``1d12h``, ``90s`` as seconds; raises `click.BadParameter`."""
    parts = re.findall(r"(\d+)([smhdw])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise click.BadParameter(f"{text!r} is no length of time; write 30d, 2h, 90m or 1d12h", param_hint="BY")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def _show(now: str, as_json: bool) -> None:
    if as_json:
        show_json({"now": now})
    else:
        say(f"{now[:19].replace('T', ' ')} UTC")
