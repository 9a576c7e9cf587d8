"""`cloudjar invoices`: what was charged for months that are over."""

from __future__ import annotations

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import print_table, say, show_json


@click.command()
@click.option("--account", metavar="ID", help="Another account than the jar's own. Organizations are billed together.")
@click.option("--month", metavar="YYYY-MM", help="One month, with what each account and service came to.")
@home_option
@json_option
def invoices(account: str | None, month: str | None, home: Home, as_json: bool) -> None:
    """Invoices, the newest first: each is issued on the third of the next month."""
    client = AdminClient(home)
    found = client.get("invoices", account=account or client.settings.account)["invoices"]
    found = [one for one in found if month in (None, one["month"])]
    if as_json:
        return show_json({"invoices": found})
    if not found:
        return say("No invoice was issued.")
    if month is None:
        rows = [(one["month"], one["id"], one["charges"], one["credits"], one["total"]) for one in found]
        return print_table(rows, ("Month", "Invoice", "Charges", "Credits", "USD"), right=(2, 3, 4))
    for one in found:
        parts = [(part["account"], part["name"], part["amount"]) for part in one["parts"]]
        credit = f"-{one['credits']}" if float(one["credits"]) else one["credits"]
        ends = [("", "Credits", credit), ("", "Tax", one["tax"]), ("", "Total", one["total"])]
        print_table([*parts, *ends], ("Account", f"Invoice {one['id']} of {month}", "USD"), right=(2,))
    return None
