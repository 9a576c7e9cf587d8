"""`cloudjar logs` and `cloudjar events`: what the server says, and what happened in the cloud."""

from __future__ import annotations

import contextlib
import json
import time
from collections import deque
from typing import Any

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import Failure, say

POLL_SECONDS = 0.3


@click.command()
@home_option
@click.option("-f", "--follow", is_flag=True, help="Go on as more is written.")
@click.option("-n", "--lines", default=200, show_default=True, help="How many of the newest lines.")
def logs(home: Home, follow: bool, lines: int) -> None:
    """What the server says."""
    try:
        file = home.log_file.open(encoding="utf-8", errors="replace")
    except PermissionError:
        raise home.forbidden() from None
    except FileNotFoundError:
        raise Failure("there is no log", f"no server was ever started in {home.folder}", "cloudjar up") from None
    with file, contextlib.suppress(KeyboardInterrupt):
        for line in deque(file, maxlen=max(lines, 0)):
            say(line.rstrip("\n"))
        while follow:
            line = file.readline()
            if line:
                say(line.rstrip("\n"))
            else:
                time.sleep(POLL_SECONDS)


@click.command()
@home_option
@json_option
@click.option("-f", "--follow", is_flag=True, help="Go on as more happens.")
@click.option("--since", default=0, help="Only events after this number.")
def events(home: Home, follow: bool, since: int, as_json: bool) -> None:
    """State changes and other events, in the order in which they happened; with --json one object a line."""
    with contextlib.suppress(KeyboardInterrupt):
        _tell(AdminClient(home), since, follow, as_json)


def _tell(client: AdminClient, since: int, follow: bool, as_json: bool) -> None:
    while True:
        found = client.get("events", since=since)["events"]
        for event in found:
            since = event["seq"]
            say(json.dumps(event) if as_json else _line(event))
        if not found and not follow:
            return
        if not found:
            time.sleep(POLL_SECONDS)


def _line(event: dict[str, Any]) -> str:
    time_of_day = event["time"][:19].replace("T", " ")
    detail = " ".join(str(value) for value in event["detail"].values())
    return f"{event['seq']:>5}  {time_of_day}  {event['region']:<12}  {event['detail_type']}: {detail}"
