"""`cloudjar consistency`: how long IAM's changes take to be seen."""

from __future__ import annotations

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import say, show_json


@click.command()
@click.argument("seconds", required=False, type=click.FloatRange(0, 3600))
@home_option
@json_option
def consistency(seconds: float | None, home: Home, as_json: bool) -> None:
    """Show, or set to SECONDS of AWS time, how long IAM's changes take to be seen; 0 is at once.

    On AWS a new key, role or policy is not known everywhere for some seconds, and programs must wait or try again.
    """
    client = AdminClient(home)
    found = client.get("consistency") if seconds is None else client.post("consistency", seconds=seconds)
    if as_json:
        return show_json(found)
    after = found["iam"]
    say(f"IAM's changes are seen after {after:g} s of AWS time" if after else "IAM's changes are seen at once")
    return None
