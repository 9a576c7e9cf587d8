"""`cloudjar why`: how the authorisation of one call came out."""

from __future__ import annotations

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import Failure, paint, print_table, say, show_json


@click.command()
@click.argument("request_id", required=False)
@click.option("--last", is_flag=True, help="The newest call that was refused.")
@home_option
@json_option
def why(request_id: str | None, last: bool, home: Home, as_json: bool) -> None:
    """Why the call REQUEST_ID was allowed or refused, statement by statement.

    The id is in every answer and error message; `aws --debug` shows it too.
    """
    client = AdminClient(home)
    if last or request_id is None:
        request_id = _newest_refusal(client)
    found = client.get("why", request=request_id)
    if as_json:
        return show_json(found)
    outcome = paint(found["error"], "red") if found["error"] else paint("allowed", "green")
    print_table([("Call", found["call"]), ("Caller", found["caller"]), ("Request", found["request"])])
    say(f"Answer   {outcome}")
    if found["decision"]:
        say(f"\n{found['decision']}")
    elif found["message"]:
        say(f"\n{found['message']}")
    return None


def _newest_refusal(client: AdminClient) -> str:
    for call in client.get("calls", limit=1000)["calls"]:
        if call["error_code"]:
            return str(call["request_id"])
    raise Failure("no call was refused yet", "", "cloudjar why REQUEST_ID")
