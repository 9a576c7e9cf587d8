"""`cloudjar advisor`: what is unsafe, what costs for nothing, what is near its limit; and the command that mends it."""

from __future__ import annotations

import json
import shlex
from typing import Any

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import Failure, paint, say, show_json
from cloudjar.cli.signed import Signed

_CATEGORIES = {
    "security": "Security",
    "cost_optimizing": "Cost",
    "fault_tolerance": "Fault tolerance",
    "performance": "Performance",
    "operational_excellence": "Order",
    "service_limits": "Service limits",
}
_COLOURS = {"error": "red", "warning": "yellow", "ok": "green", "not_available": "white"}
Found = dict[str, Any]


@click.command()
@click.option("--fix", "fixes", multiple=True, metavar="ID", help="Do what mends this finding, as the caller.")
@click.option("--yes", is_flag=True, help="Do not ask before.")
@click.option("--category", type=click.Choice(sorted(_CATEGORIES)), help="Only this category.")
@click.option("--all", "everything", is_flag=True, help="What is in order, too.")
@home_option
@json_option
def advisor(
    fixes: tuple[str, ...], yes: bool, category: str | None, everything: bool, home: Home, as_json: bool
) -> None:
    """Look at the account as Trusted Advisor does, now, and tell what it finds.

    Each finding has an ID, its evidence, what it costs in a month, and the command that mends it.
    """
    client, signed = AdminClient(home), Signed(home)
    account = signed.account
    checks = client.get("advice", account=account, anew=1)["checks"]
    if fixes:
        return _fix(signed, checks, fixes, yes)
    chosen = [one for one in checks if category in (None, one["category"])]
    if as_json:
        return show_json({"account": account, "checks": [_plain(one, everything) for one in chosen]})
    return _say(chosen, everything)


def _plain(check: Found, everything: bool) -> Found:
    shown = [one for one in check["findings"] if everything or _is_flagged(one)]
    return {**check, "findings": [{**one, "commands": commands(one)} for one in shown]}


def _is_flagged(finding: Found) -> bool:
    return finding["status"] in ("warning", "error") and not finding["excluded"]


def _say(checks: list[Found], everything: bool) -> None:
    total = 0.0
    for key, title in _CATEGORIES.items():
        group = [c for c in checks if c["category"] == key and (everything or any(map(_is_flagged, c["findings"])))]
        if not group:
            continue
        say(paint(title, "cyan"))
        for check in group:
            say(f"  {paint(check['name'], _COLOURS[check['status']])}  {check['check']}")
            for finding in check["findings"]:
                if everything or _is_flagged(finding):
                    _say_finding(finding)
        say()
        if key == "cost_optimizing":
            total = _savings(group)
    flagged = sum(1 for check in checks for one in check["findings"] if _is_flagged(one))
    blind = [check["name"] for check in checks if check["status"] == "not_available"]
    say(f"{flagged} findings" + (f"; up to {total:.2f} USD a month can be saved" if total else ""))
    if blind:
        say(f"Not looked at, since this jar has no such service: {', '.join(blind)}")


def _savings(checks: list[Found]) -> float:
    """Each resource counts once, however many checks name it."""
    costs: dict[tuple[str, str], float] = {}
    for check in checks:
        for one in check["findings"]:
            if _is_flagged(one):
                place = (one["region"], one["resource"])
                costs[place] = max(costs.get(place, 0.0), one["monthly"])
    return sum(costs.values())


def _say_finding(finding: Found) -> None:
    where = "" if finding["region"] == "-" else f" in {finding['region']}"
    cost = f", {finding['monthly']:.2f} USD a month" if finding["monthly"] else ""
    say(f"    {finding['id']}  {finding['resource']}{where}{cost}")
    if finding["evidence"]:
        say(f"              {finding['evidence']}")
    for line in commands(finding):
        say(f"              {line}")


def commands(finding: Found) -> list[str]:
    """What mends it, as lines for a shell; or what only a person can decide."""
    calls = finding["fix"]
    wanted = {value for call in calls for value in call["params"].values() if _is_reference(value)}
    lines = []
    for call in calls:
        line = command(call)
        given = [name[1:] for name in sorted(wanted) if name not in call["params"].values()]
        if given and call is not calls[-1]:
            line = f"{given[0]}=$({line} --query {given[0]} --output text)"
        lines.append(line)
    return lines or ([finding["hint"]] if finding["hint"] else [])


def command(call: Found) -> str:
    """``aws ec2 release-address --region eu-west-3 --allocation-id eipalloc-1``."""
    from botocore import xform_name

    words = ["aws", {"s3": "s3api"}.get(call["service"], call["service"]), xform_name(call["operation"], "-")]
    words += ["--region", call["region"]]
    for name, value in call["params"].items():
        option = "--" + xform_name(name, "-")
        if isinstance(value, bool):
            words.append(option if value else option.replace("--", "--no-", 1))
        elif isinstance(value, list) and all(isinstance(one, str) for one in value):
            words += [option, *value]
        else:
            words += [option, value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))]
    return " ".join(f'"{word}"' if _is_reference(word) else shlex.quote(word) for word in words)


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith("$")


def _fix(signed: Signed, checks: list[Found], wanted: tuple[str, ...], yes: bool) -> None:
    found = {one["id"]: one for check in checks for one in check["findings"] if _is_flagged(one)}
    for key in wanted:
        if key not in found:
            raise Failure(f"there is no finding {key}", "it may be mended already", "cloudjar advisor")
        finding = found[key]
        if not finding["fix"]:
            raise Failure(f"{key} cannot be mended by a call alone", finding["evidence"], finding["hint"])
        for line in commands(finding):
            say(line)
        if not yes:
            click.confirm("Do this?", abort=True)
        mend(signed, finding)
        say(paint(f"{key} is mended: {finding['resource']}", "green"))


def mend(signed: Signed, finding: Found) -> None:
    """Make the calls, in order; what one answers the next may refer to."""
    known: Found = {}
    for call in finding["fix"]:
        params = {name: known[value[1:]] if _is_reference(value) else value for name, value in call["params"].items()}
        known |= signed.call(call["service"], call["operation"], call["region"], **params)
