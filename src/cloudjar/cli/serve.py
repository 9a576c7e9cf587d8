"""The server process itself: started by `cloudjar up`, detached or in the foreground."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from cloudjar.base.settings import Settings, from_json
from cloudjar.cli.files import Files


def main(argv: list[str]) -> None:
    """``cloudjar serve HOME``: run what ``HOME/running.json`` says until SIGTERM."""
    if len(argv) != 1:
        sys.exit("cloudjar serve is what `cloudjar up` runs. Try: cloudjar up --foreground")
    run(from_json((Path(argv[0]) / "running.json").read_bytes()))


def run(settings: Settings) -> None:
    """Serve in this process; holds the home's lock for as long as it lives."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    files = Files(settings.home)
    files.hold()
    from cloudjar.app import serve

    serve(settings, files.ready_file)
