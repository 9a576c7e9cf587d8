"""`cloudjar spot` and `cloudjar maintenance`: what AWS does to instances, when you say so."""

from __future__ import annotations

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.clock import seconds
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import say, show_json

CODES = ("instance-reboot", "instance-retirement", "instance-stop", "system-maintenance", "system-reboot")


@click.group()
def spot() -> None:
    """Take the capacity of spot instances away."""


@spot.command("interrupt")
@click.argument("instance_id")
@click.option("--in", "time", default="2m", metavar="TIME", help="AWS time until the end: 2m (the notice) to 15m.")
@home_option
@json_option
def interrupt(instance_id: str, time: str, home: Home, as_json: bool) -> None:
    """Interrupt INSTANCE_ID: it is recommended to rebalance, warned two minutes before, and then ended or stopped."""
    found = AdminClient(home).post("interrupt-spot", instance=instance_id, seconds=seconds(time))
    if as_json:
        return show_json(found)
    verb = {"stop": "stopped", "terminate": "terminated"}[found["action"]]
    return say(f"{instance_id} will be {verb} at {found['due']} (AWS time; cloudjar clock advance moves it on)")


@click.command()
@click.argument("instance_id")
@click.argument("code", type=click.Choice(CODES))
@click.option("--in", "time", default="1d", metavar="TIME", help="AWS time until it starts, or the window after it.")
@home_option
@json_option
def maintenance(instance_id: str, code: str, time: str, home: Home, as_json: bool) -> None:
    """Schedule an event for INSTANCE_ID: its status, its metadata and, when it is due, the machine tell of it."""
    found = AdminClient(home).post("schedule-event", instance=instance_id, code=code, seconds=seconds(time))
    if as_json:
        return show_json(found)
    return say(f"{found['InstanceEventId']}: {code} of {instance_id} at {found['NotBefore']} (AWS time)")
