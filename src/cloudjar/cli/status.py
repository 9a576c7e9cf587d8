"""`cloudjar status`: what runs and what it has cost."""

from __future__ import annotations

from datetime import timedelta

import click

from cloudjar.cli import money
from cloudjar.cli.admin import AdminClient, endpoint
from cloudjar.cli.bill import dollars
from cloudjar.cli.clock import pace
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import paint, print_table, show_json


@click.command()
@home_option
@json_option
def status(home: Home, as_json: bool) -> None:
    """Endpoint, planes, clock, instances and this month's money. Exit code 1 when the jar is not running."""
    client = AdminClient(home)
    about = client.get("status")
    instant = money.now(client)
    cost, unpriced = money.total(client)
    running = _running(client)
    instances = len(client.get("records", kind="ec2/instance")["records"])
    url = endpoint(client.settings, client.ready)
    if as_json:
        return show_json({
            **about, "endpoint": url, "pid": client.ready.pid, "instances_running": running, "instances": instances,
            "month_to_date": {"cost": str(cost), "currency": "USD", "unpriced_usage_types": unpriced},
        })  # fmt: skip
    simulated = paint(" simulated", "yellow") if about["compute"] == "sim" else ""
    print_table([
        ("Up", f"{url}, process {client.ready.pid}"),
        *([("SMTP", ", ".join(smtp))] if (smtp := [about[one] for one in ("smtp", "smtps") if about.get(one)]) else []),
        ("Planes", f"network {about['network']}, compute {about['compute']}{simulated}"),
        ("Clock", f"{instant:%Y-%m-%d %H:%M:%S} UTC{pace(about['speed'])}"),
        ("Instances", f"{running} running, {instances} known"),
        ("Money", f"{dollars(cost)} USD this month" + (f", {unpriced} usage types unpriced" if unpriced else "")),
    ])  # fmt: skip
    return None


def _running(client: AdminClient) -> int:
    """Instances whose hours are being counted now."""
    instant = money.now(client)
    found = money.spans(client, instant - timedelta(seconds=1), instant + timedelta(seconds=1))
    return len(
        {
            (s.account, s.region, s.resource)
            for s in found
            if s.end is None and s.meter.usage_type.startswith("BoxUsage:")
        }
    )
