"""`cloudjar prices`: prices from AWS's public offer files beside those that the product brings."""

from __future__ import annotations

from pathlib import Path

import click

from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import Failure, print_table, say, show_json
from cloudjar.spec import offers


@click.group()
def prices() -> None:
    """Prices: take them from AWS's offer files."""


@prices.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@home_option
@json_option
def take(files: tuple[Path, ...], home: Home, as_json: bool) -> None:
    """Take on-demand prices from offer FILES: the index.json of a service and region of AWS's public price list.

    They are this jar's from its next start on, before those that the product brings; what was used in the past is
    priced anew by them too. Prices per other units than what is metered are left out.
    """
    found = []
    for file in files:
        try:
            found.append(offers.keep(offers.read(file), home.folder / "prices"))
        except offers.OfferError as refused:
            raise Failure(str(refused)) from None
    if as_json:
        return show_json({"imported": [one._asdict() for one in found]})
    rows = [
        (one.service, str(one.prices), ", ".join(one.regions), str(one.left_out), one.published) for one in found
    ]
    print_table(rows, ("Service", "Prices", "Regions", "Left out", "Published"), right=(1, 3))
    if home.is_served():
        say("They are used when the jar starts again: cloudjar down, then cloudjar up")
    return None
