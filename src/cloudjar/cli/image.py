"""`cloudjar image`: the root file systems that machines boot, built once per host."""

from __future__ import annotations

import logging
import sys

import click

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import PlaneError
from cloudjar.cli.home import json_option
from cloudjar.cli.screen import Failure, colourful, note, paint, print_table, show_json
from cloudjar.planes.compute.images import ImageStore

_LINE = 100


@click.group()
def image() -> None:
    """Machine images of this host."""


@image.command("list")
@json_option
def list_images(as_json: bool) -> None:
    """Which images there are, and which this host can build."""
    found = ImageStore().images()
    if as_json:
        return show_json([
            {"image": i.key, "ready": i.ready, "available": i.available, "why_not": i.why_not} for i in found.values()
        ])  # fmt: skip
    rows = []
    for info in found.values():
        state = "ready" if info.ready else "can be built" if info.available else "not here"
        rows.append((info.key, state, info.why_not or ""))
    print_table(rows)
    return None


@image.command()
@click.argument("key")
def build(key: str) -> None:
    """Build an image now (a minute or two), so that no launch waits for it."""
    build_with_progress(ImageStore(), key)


def build_with_progress(store: ImageStore, key: str) -> None:
    """Build and show how it goes on standard error; raises `Failure` with what could not be done."""
    log = logging.getLogger("cloudjar.compute.images")
    handler = _Progress(key)
    log.addHandler(handler)
    level, log.level, log.propagate = log.level, logging.INFO, False
    try:
        store.prepare(key)
    except PlaneError as failed:
        handler.clear()
        why, _, hint = str(failed).partition("Try: ")
        raise Failure(f"image {key} cannot be built", why.strip(), hint) from None
    finally:
        log.removeHandler(handler)
        log.level, log.propagate = level, True
    handler.clear()
    note(f"{paint('Image', 'green', sys.stderr)} {key} is ready.")


class _Progress(logging.Handler):
    """One line that changes on a terminal; elsewhere the builder's own milestones, one line each."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key
        self._began = monotonic()
        self._live = colourful(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        """A line of the build."""
        text = record.getMessage()
        said = text.partition(": ")[2] or text
        seconds = monotonic() - self._began
        if self._live:
            line = f"Building image {self._key}: {seconds:3.0f} s  {said}"[:_LINE]
            sys.stderr.write(f"\r\x1b[2K{line}")
            sys.stderr.flush()
        elif said.startswith("I: ") or record.levelno > logging.INFO:
            note(f"Building image {self._key}: {seconds:3.0f} s  {said.removeprefix('I: ')}"[:_LINE])

    def clear(self) -> None:
        """Leave an empty line behind."""
        if self._live:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
