"""`cloudjar up`: start the server, detached from shell and terminal, and say how to use it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from cloudjar.base.clock import monotonic
from cloudjar.base.settings import Settings, is_loopback
from cloudjar.cli import claims
from cloudjar.cli.admin import AdminClient, endpoint, reach
from cloudjar.cli.home import Home, Ready, settings_of
from cloudjar.cli.screen import Failure, note, print_table, say, show_json

START_SECONDS = 60
LOG_BYTES = 10 << 20
DEFAULT_IMAGE = "debian-12"


def _checked_relay(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value:
        from cloudjar.gateway.relay import parse

        try:
            parse(value)
        except ValueError as wrong:
            raise click.BadParameter(str(wrong)) from None
    return value


@click.command()
@click.option("--home", metavar="DIR", help="Data directory (CLOUDJAR_HOME).")
@click.option("--host", metavar="ADDRESS", help="Listen here; beyond loopback needs --generate-credentials once.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; 0 picks a free one.")
@click.option("--planes", type=click.Choice(["auto", "linux", "sim"]), help="Real machines and networks, or simulated.")
@click.option(
    "--compute",
    type=click.Choice(["container", "vm"]),
    help="Real instances are system containers, or virtual machines under QEMU; a tag cloudjar:driver says otherwise.",
)
@click.option("--region", metavar="NAME", help="Region of requests that name none.")
@click.option("--account", metavar="NUMBER", help="The account of the key `test`.")
@click.option("--tag", metavar="NAME", help="Marks what this jar puts on the host; one per jar.")
@click.option("--public-pool", metavar="CIDR", help="The jar's public addresses; one pool per jar.")
@click.option(
    "--eventual-consistency",
    type=click.FloatRange(0, 3600),
    metavar="SECONDS",
    help="Have IAM's changes hold only after this long, as on AWS; 0 is at once.",
)
@click.option(
    "--api-rate",
    type=click.FloatRange(0, 1000),
    metavar="TIMES",
    help="Admit calls TIMES as fast as AWS does before they are throttled; 0 is however fast they come.",
)
@click.option(
    "--smtp-port",
    type=click.IntRange(-1, 65535),
    help="SES's SMTP endpoint listens here (2587 when it is free); 0 picks a free one, -1 is nowhere.",
)
@click.option(
    "--smtps-port",
    type=click.IntRange(-1, 65535),
    help="The same for clients that speak TLS from the first byte (2465 when it is free).",
)
@click.option(
    "--mail-relay",
    metavar="smtp://HOST:PORT",
    callback=_checked_relay,
    help="Hand e-mail to this server too; '' ends that. With user:password@ it is better said in CLOUDJAR_MAIL_RELAY.",
)
@click.option("--generate-credentials", is_flag=True, help="Make a root access key and print it, this once.")
@click.option("--image/--no-image", default=True, help="Prepare the Debian image when it is missing.")
@click.option("--foreground", is_flag=True, help="Stay in the terminal; log to standard error.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def up(
    home: str | None, generate_credentials: bool, image: bool, foreground: bool, as_json: bool, **given: Any
) -> None:
    """Start the jar. When it is up already, say so.

    Instances that ran when it went down are started again. Settings that are not given are those of the last start.
    """
    settings = settings_of(home, **given)
    place = Home(settings)
    with place.alone():
        running = place.ready()
        if running is not None:
            settings = place.started_as() or settings
            if not as_json:
                say(f"Already up (process {running.pid}).")
            return _welcome(place, settings, running, None, as_json)
        asked, settings = settings, _decided(settings)
        _refuse(place, settings)
        claims.claim(settings)
        key = _generate(settings) if generate_credentials else None
        place.remember(asked, settings)
        place.ready_file.unlink(missing_ok=True)
        ready = None if foreground else _start(place, settings)
    if ready is None:
        return _stay(settings, key)
    _welcome(place, settings, ready, key, as_json)
    if image and settings.planes == "linux":
        _prepare_image()
    return None


def _decided(settings: Settings) -> Settings:
    """``auto`` becomes what this host can do, so that later commands need not guess again."""
    if settings.planes != "auto":
        return settings
    from cloudjar.planes.host import can_drive, missing

    if can_drive():
        return replace(settings, planes="linux")
    if os.geteuid() == 0 and sys.platform == "linux":
        note(f"Planes are simulated: tools are missing. Try: apt-get install {' '.join(missing())}")
    return replace(settings, planes="sim")


def _refuse(place: Home, settings: Settings) -> None:
    """Say no before anything is touched."""
    if settings.planes == "linux" and os.geteuid() != 0:
        raise Failure("real machines and networks need root", "", "sudo cloudjar up, or cloudjar up --planes sim")
    if place.is_served():
        raise Failure("a server is starting or hanging in this home", f"its lock is held: {place.lock_file}",
                      "cloudjar down, then cloudjar up")  # fmt: skip
    before = place.started_as()
    if before is not None and before.planes == "linux":
        changed = [
            name for name in ("tag", "public_pool", "planes") if getattr(before, name) != getattr(settings, name)
        ]
        if changed:
            raise Failure(f"this jar's machines are on the host with another {changed[0].replace('_', ' ')}",
                          "it was not taken down since its last start", "cloudjar down, then cloudjar up")  # fmt: skip


def _generate(settings: Settings) -> tuple[str, str]:
    from cloudjar.auth.root_keys import RootKeys
    from cloudjar.store.sealer import Sealer

    return RootKeys(settings.home / "root-keys.json", Sealer(settings.home / "sealing.key")).generate(settings.account)


def _stay(settings: Settings, key: tuple[str, str] | None) -> None:
    from cloudjar.cli.serve import run

    if key:
        _show_key(key)
    note(f"Listening on {reach(settings)}:{settings.port}; Ctrl-C stops the server, `cloudjar down` restores the host.")
    run(settings)


def _start(place: Home, settings: Settings) -> Ready:
    """Run the server in a session of its own and wait until it answers."""
    _turn_page(place.log_file)
    begin = place.log_file.stat().st_size if place.log_file.exists() else 0
    with place.log_file.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "cloudjar.cli", "serve", str(place.folder)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
        )  # fmt: skip
    end = monotonic() + START_SECONDS
    while child.poll() is None and monotonic() < end:
        ready = place.ready()
        if ready is not None and ready.pid == child.pid:
            return ready
        time.sleep(0.01)
    if child.poll() is None:
        child.kill()
        child.wait()
        raise Failure("the server did not answer in time", _last_words(place.log_file, begin), "cloudjar logs")
    why = _last_words(place.log_file, begin)
    busy = "address already in use" in why.lower()
    hint = f"cloudjar up --port {settings.port + 1}" if busy else "cloudjar logs, cloudjar doctor"
    if "Try: " in why:  # it says itself what to try
        why, _, hint = why.rpartition("Try: ")
    raise Failure("the server did not start", why.rstrip(), hint)


def _turn_page(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _last_words(log: Path, begin: int) -> str:
    """The end of what this start wrote; of a traceback just what it came to."""
    with log.open("rb") as file:
        file.seek(begin)
        lines = file.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
    return "\n".join(lines[-1:] if any(line.startswith("Traceback") for line in lines) else lines[-5:])


def _welcome(place: Home, settings: Settings, ready: Ready, key: tuple[str, str] | None, as_json: bool) -> None:
    """What a person needs next."""
    about = AdminClient(place).get("status")
    if as_json:
        made = {"access_key_id": key[0], "secret_access_key": key[1]} if key else {}
        return show_json({**about, "endpoint": endpoint(settings, ready), "pid": ready.pid, **made})
    simulated = " (simulated: no packet is sent and nothing boots)" if about["compute"] == "sim" else ""
    print_table([
        ("Endpoint", endpoint(settings, ready)),
        ("Account", f"{about['account']}, region {about['region']} unless a request names another"),
        ("Planes", f"network {about['network']}, compute {about['compute']}{simulated}"),
        *([("SMTP", ", ".join(smtp))] if (smtp := [about[one] for one in ("smtp", "smtps") if about.get(one)]) else []),
        ("Data", str(place.folder)),
    ])  # fmt: skip
    if key:
        _show_key(key)
    option = f" --home {place.folder}" if place.folder != settings_of(None).home else ""
    say(f'\nUse it:  eval "$(cloudjar env{option})"   or   cloudjar shell{option}')
    if is_loopback(settings.host) and not key:
        say("Root signs in with access key `test`, secret `test`; on this machine only.")
    return None


def _show_key(key: tuple[str, str]) -> None:
    say()
    print_table([("Root access key", key[0]), ("Secret, shown once", key[1])])


def _prepare_image() -> None:
    """The first launch should not have to wait; when it cannot be built, launching says so too."""
    from cloudjar.cli.image import build_with_progress
    from cloudjar.planes.compute.images import ImageStore

    store = ImageStore()
    if store.path(DEFAULT_IMAGE).is_dir():
        return
    say()
    try:
        build_with_progress(store, DEFAULT_IMAGE)
    except Failure as failed:
        note(f"\nThe jar is up, but {failed.message}:\n  {failed.why}")
        if failed.hint:
            note(f"  Try: {failed.hint}")
