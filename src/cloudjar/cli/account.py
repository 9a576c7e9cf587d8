"""`cloudjar account`: the accounts of the jar, and a new one on a plan of one's choice."""

from __future__ import annotations

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import print_table, say, show_json


@click.group()
def account() -> None:
    """Accounts: list them, open one."""


@account.command()
@click.option("--email", required=True, help="The root user's address; one account each.")
@click.option("--name", help="What the account is called (default: the address).")
@click.option(
    "--plan",
    type=click.Choice(["free", "paid", "12-months"]),
    default="free",
    show_default=True,
    help="free: credits, then it ends; paid; 12-months: as accounts before July 2025 were.",
)
@home_option
@json_option
def create(email: str, name: str | None, plan: str, home: Home, as_json: bool) -> None:
    """Open a standalone account. Its root's access key is printed once: keep it.

    Accounts of an organization are made by `aws organizations create-account`.
    """
    made = AdminClient(home).post("accounts", email=email, called=name or email.partition("@")[0], plan=plan)
    if as_json:
        return show_json(made)
    print_table([("Account", made["id"]), ("Name", made["name"]), ("E-mail", made["email"]), ("Plan", made["plan"])])
    say()
    say(f"export AWS_ACCESS_KEY_ID={made['access_key_id']}")
    say(f"export AWS_SECRET_ACCESS_KEY={made['secret_access_key']}")
    return None


@account.command("list")
@home_option
@json_option
def list_accounts(home: Home, as_json: bool) -> None:
    """Every account that was opened, or joined an organization."""
    found = AdminClient(home).get("accounts")["accounts"]
    if as_json:
        return show_json(found)
    rows = [(a["id"], a["name"], a["email"], a["plan"], a["state"], a["organization"] or "") for a in found]
    print_table(rows, ("Account", "Name", "E-mail", "Plan", "State", "Organization"))
    return None


@account.command()
@click.argument("account_id")
@home_option
@json_option
def upgrade(account_id: str, home: Home, as_json: bool) -> None:
    """Put an account of the free plan on the paid one; one that was closed because its plan had ended opens again.

    There is no way back. An account that is open can do it itself: `aws freetier upgrade-account-plan`.
    """
    found = AdminClient(home).post("accounts-upgrade", id=account_id)
    if as_json:
        return show_json(found)
    return say(f"{found['id']} is on the plan {found['plan']}, {found['state'].lower()}")
