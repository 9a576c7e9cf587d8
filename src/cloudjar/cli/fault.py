"""`cloudjar fault`: break things on purpose, and mend them."""

from __future__ import annotations

from typing import Any

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.clock import seconds
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import print_table, say, show_json

for_option = click.option("--for", "time", default="", metavar="TIME", help="AWS time after which it ends: 10m, 2h.")


@click.group()
def fault() -> None:
    """Take the power of a zone or of an instance's host, and give it back.

    What is without power stays what it is on paper: an instance is `running` and impaired, its disks are kept, and it
    boots again when the power is back. Nothing can be launched in a zone without power.
    """


@fault.command("zone")
@click.argument("zone")
@for_option
@home_option
@json_option
def zone_(zone: str, time: str, home: Home, as_json: bool) -> None:
    """Take the power of ZONE (eu-west-3a, or an id like euw3-az1): machines, disks, networks."""
    _begin(home, "zone", zone, time, as_json)


@fault.command("instance")
@click.argument("instance_id")
@for_option
@home_option
@json_option
def instance_(instance_id: str, time: str, home: Home, as_json: bool) -> None:
    """Take the power of the host that INSTANCE_ID runs on."""
    _begin(home, "instance", instance_id, time, as_json)


@fault.command("list")
@home_option
@json_option
def list_(home: Home, as_json: bool) -> None:
    """What is broken now."""
    found = AdminClient(home).get("faults")["faults"]
    if as_json:
        return show_json(found)
    if not found:
        return say("nothing is broken")
    return print_table(
        [(one["id"], one["kind"], one["target"], one["since"], one["until"] or "ended by hand") for one in found],
        ("fault", "kind", "of", "since", "until"),
    )


@fault.command("end")
@click.argument("fault_id", metavar="ID|all")
@home_option
@json_option
def end_(fault_id: str, home: Home, as_json: bool) -> None:
    """End a fault, or all of them: the power comes back."""
    client = AdminClient(home)
    wanted = [one["id"] for one in client.get("faults")["faults"]] if fault_id == "all" else [fault_id]
    ended = [client.post("faults-end", id=one) for one in wanted]
    if as_json:
        return show_json(ended)
    for one in ended:
        say(f"{one['kind']} {one['target']} has power again")
    return None


def _begin(home: Home, kind: str, target: str, time: str, as_json: bool) -> None:
    made: dict[str, Any] = AdminClient(home).post(
        "faults", kind=kind, target=target, seconds=seconds(time) if time else 0
    )
    if as_json:
        return show_json(made)
    until = f"until {made['until']}" if made["until"] else f"until: cloudjar fault end {made['id']}"
    return say(f"{kind} {made['target']} is without power {until}")
