"""`cloudjar why`: how the authorisation of one call came out, step by step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import paint, print_table, say, show_json
from cloudjar.policy.tell import Told, lines

_COLOURS = {"ALLOWED": "green", "DENIED": "red"}


@click.command()
@click.argument("request_id", required=False)
@click.option("--last", is_flag=True, help="The newest call that was refused for want of permission (the default).")
@home_option
@json_option
def why(request_id: str | None, last: bool, home: Home, as_json: bool) -> None:
    """Why the call REQUEST_ID was allowed or refused, statement by statement, and what would allow it.

    The id is in every answer and error message; `aws --debug` shows it too.
    """
    client = AdminClient(home)
    found = client.get("why", last="1") if last or request_id is None else client.get("why", request=request_id)
    if as_json:
        return show_json(found)
    say_call(found)
    if found["authorization"] is not None:
        say()
        say_authorization(msgspec.convert(found["authorization"], Told))
    return None


def say_call(found: dict[str, Any]) -> None:
    """Which call it was and what it was answered."""
    where = f"{found['account']} {found['region']}".strip()
    when = datetime.fromtimestamp(found["time"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    print_table([("Call", found["call"]), ("Caller", found["caller"]), ("Where", where), ("When", when),
                 ("Request", found["request"])])  # fmt: skip
    say(f"Answer   {paint(found['error'], 'red') if found['error'] else paint('success', 'green')}")
    if found["error"] and found["authorization"] is None:
        say(f"\nThe call did not come as far as authorisation:\n{found['message']}")


def say_authorization(told: Told) -> None:
    """Every question that was decided for the call."""
    if not told.accounts:
        say("This operation needs no permission.")
    for line in lines(told):
        first, _, rest = line.partition("  ")
        say(f"{paint(first, _COLOURS[first])}  {rest}" if first in _COLOURS else line)
