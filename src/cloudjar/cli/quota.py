"""`cloudjar quota`: requests for higher quotas, decided by whoever runs the jar instead of after five minutes."""

from __future__ import annotations

from typing import Any

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import print_table, say, show_json


@click.group()
def quota() -> None:
    """Requests for higher quotas (aws service-quotas request-service-quota-increase) that wait to be decided."""


@quota.command("list")
@home_option
@json_option
def list_(home: Home, as_json: bool) -> None:
    """Every request that waits, of every account and region."""
    found = AdminClient(home).get("quota-requests")["requests"]
    if as_json:
        return show_json(found)
    if not found:
        return say("no request waits")
    rows = [
        (one["Id"], one["Account"], one["Region"], one["ServiceCode"], one["QuotaName"], f"{one['DesiredValue']:g}")
        for one in found
    ]
    return print_table(rows, ("Request", "Account", "Region", "Service", "Quota", "Wanted"), right=(5,))


@quota.command()
@click.argument("request")
@home_option
@json_option
def approve(request: str, home: Home, as_json: bool) -> None:
    """Grant REQUEST at once: the new limit is in force."""
    _decide(home, request, as_json, grant=True)


@quota.command()
@click.argument("request")
@home_option
@json_option
def deny(request: str, home: Home, as_json: bool) -> None:
    """Refuse REQUEST, as AWS's people sometimes do."""
    _decide(home, request, as_json, grant=False)


def _decide(home: Home, request: str, as_json: bool, *, grant: bool) -> None:
    done: dict[str, Any] = AdminClient(home).post("quota-requests", id=request, grant=int(grant))
    if as_json:
        return show_json(done)
    return say(f"{done['QuotaName']} in {done['Region']}: {done['DesiredValue']:g} is {done['Status'].lower()}")
