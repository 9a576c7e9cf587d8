"""`cloudjar mail`: what AWS would have sent to people, and its links."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import Failure, print_table, say, show_json


@click.group(invoke_without_command=True)
@click.option("--to", "recipient", default="", metavar="ADDRESS", help="Only what this address or number got.")
@home_option
@json_option
@click.pass_context
def mail(ctx: click.Context, recipient: str, home: Home, as_json: bool) -> None:
    """The mailbox: every e-mail and text message that AWS would have sent, the newest first."""
    if ctx.invoked_subcommand is not None:
        return
    found = AdminClient(home).get("mail", to=recipient)["letters"]
    if as_json:
        show_json(found)
    elif not found:
        say("No mail.")
    else:
        rows = [[str(one["id"]), _when(one["at"]), one["kind"], one["recipient"], _line(one)] for one in found]
        print_table(rows, ("ID", "CAME", "KIND", "TO", "SUBJECT"))


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _line(letter: dict[str, Any]) -> str:
    text: str = letter["subject"] or letter["body"].partition("\n")[0]
    return text if len(text) <= 60 else f"{text[:59]}…"


def _letter(home: Home, number: int) -> dict[str, Any]:
    for letter in AdminClient(home).get("mail", to="", limit=10_000)["letters"]:
        if letter["id"] == number:
            found: dict[str, Any] = letter
            return found
    raise Failure(f"there is no letter {number}", hint="cloudjar mail")


@mail.command()
@click.argument("number", type=int)
@home_option
@json_option
def show(number: int, home: Home, as_json: bool) -> None:
    """The whole letter NUMBER."""
    letter = _letter(home, number)
    if as_json:
        return show_json(letter)
    say(f"From: {letter['sender']}\nTo: {letter['recipient']}\nDate: {_when(letter['at'])}")
    if letter["subject"]:
        say(f"Subject: {letter['subject']}")
    if letter["relay"]:
        say(f"Relay: {letter['relay']}")
    return say(f"\n{letter['body']}")


@mail.command()
@click.argument("number", type=int)
@home_option
def follow(number: int, home: Home) -> None:
    """Follow the link in letter NUMBER: confirm what it asks to confirm."""
    letter = _letter(home, number)
    if not letter["link"]:
        raise Failure(f"letter {number} asks nobody to follow a link")
    try:
        with urllib.request.urlopen(letter["link"]) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        raise Failure("the link does not hold any more", error.read().decode("utf-8", "replace")) from None
    except OSError as error:
        raise Failure("the link leads nowhere", str(error), letter["link"]) from None
    say("Confirmed.")


@mail.command("smtp-password")
@click.option("--region", metavar="NAME", help="Where the mail is sent (AWS_REGION, or the jar's own).")
@home_option
@json_option
def smtp_password(region: str | None, home: Home, as_json: bool) -> None:
    """User name and password for SES's SMTP endpoint, made of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.

    Clients use STARTTLS, and must trust the authority that is told with them.
    """
    from cloudjar.auth.smtp_passwords import password
    from cloudjar.gateway.tls import Authority

    user = os.environ.get("AWS_ACCESS_KEY_ID", "test")
    secret = os.environ.get("AWS_SECRET_ACCESS_KEY", "test" if user == "test" else "")
    if not secret:
        raise Failure("there is no secret to make a password of", "AWS_SECRET_ACCESS_KEY is not set", "cloudjar env")
    if os.environ.get("AWS_SESSION_TOKEN"):
        raise Failure("SMTP credentials cannot be made of temporary ones", "AWS_SESSION_TOKEN is set",
                      "an access key of an IAM user")  # fmt: skip
    where = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    settings, _ = home.need_ready()
    where = where or settings.region
    about = AdminClient(home).get("status")
    url, wrapped = about["smtp"], about.get("smtps", "")
    made, trust = password(secret, where), str(Authority(home.folder / "tls").bundle)
    if as_json:
        return show_json({
            "endpoint": url, "tls_endpoint": wrapped, "user": user, "password": made, "region": where,
            "authority": trust,
        })  # fmt: skip
    return print_table([
        ("Endpoint", url or "none: another jar has the port; see cloudjar up --smtp-port"),
        *([("With TLS at once", wrapped)] if wrapped else []),
        ("User", user), ("Password", made), ("Region", where), ("Authority", trust),
    ])  # fmt: skip
