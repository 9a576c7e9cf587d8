"""`cloudjar down` and `cloudjar reset`: the server stops, then everything it put on the host goes."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from cloudjar.base.errors import PlaneError
from cloudjar.base.settings import Settings
from cloudjar.cli import claims
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import Failure, say, show_json

STOP_SECONDS = 60
KEPT = ("images",)
"""What `reset` leaves in a home: images are the host's, shared by every jar, and rebuilt from nothing but packages."""


@click.command()
@home_option
@json_option
def down(home: Home, as_json: bool) -> None:
    """Stop the jar and restore the host.

    It is as if the power of a data centre went: machines are shut down and networks removed, but disks and
    everything the cloud knows are kept, and instances that ran are started again by the next `cloudjar up`. AWS's clock
    goes on meanwhile, and so do its meters: stop or terminate what should cost nothing.
    """
    if not home.exists():
        return _nothing(home, as_json)
    with home.alone():
        was_up, machines = _down(home)
    if as_json:
        return show_json({"was_up": was_up, "machines_stopped": machines, "leaks": []})
    what = f"{machines} machine{'s' if machines != 1 else ''} shut down" if machines else "no machine was running"
    say(f"Down; {what}, the host is as it was." if was_up or machines else "The jar was not up; the host is clean.")
    return None


@click.command()
@home_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(home: Home, yes: bool) -> None:
    """Stop the jar, restore the host and delete all of its data. Images stay."""
    if not home.exists():
        return _nothing(home, False)
    if not yes:
        click.confirm(f"Delete everything this jar knows and all its disks, in {home.folder}?", abort=True)
    with home.alone():
        _down(home)
        _wipe(home.folder)
    say("Reset: the next `cloudjar up` starts an empty cloud.")
    return None


def _nothing(home: Home, as_json: bool) -> None:
    if as_json:
        show_json({"was_up": False, "machines_stopped": 0, "leaks": []})
    else:
        say(f"There is no jar in {home.folder}.")


def _down(home: Home) -> tuple[bool, int]:
    was_up = home.is_served()
    if was_up:
        _stop_server(home)
    settings = home.started_as()
    if settings is None or settings.planes != "linux":
        home.running_file.unlink(missing_ok=True)
        return was_up, 0
    machines = restore_host(settings)
    claims.give_back(settings)
    home.running_file.unlink(missing_ok=True)
    return was_up, machines


def _stop_server(home: Home) -> None:
    """Ask the server to stop; one that does not is killed, which loses nothing that it has answered."""
    ready = home.ready()
    if ready is None:
        raise Failure("the server is just starting", f"its lock is held: {home.lock_file}", "cloudjar down, once more")
    try:
        process = os.pidfd_open(ready.pid)
    except ProcessLookupError:
        return
    except PermissionError:
        raise home.forbidden() from None
    try:
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            signal.pidfd_send_signal(process, number)
            if select.select([process], [], [], seconds)[0]:
                return
    except ProcessLookupError:
        return
    except PermissionError:
        raise home.forbidden() from None
    finally:
        os.close(process)
    raise Failure(f"the server (process {ready.pid}) does not end", "", "look at it with ps, then cloudjar down")


def restore_host(settings: Settings) -> int:
    """Shut down and remove every machine and network of a jar; gives the number of machines that ran.

    Raises `Failure` when the host does not let go, naming what is left.
    """
    from cloudjar.planes.compute import doctor as compute_doctor
    from cloudjar.planes.compute.mixed import MixedCompute
    from cloudjar.planes.network import programs
    from cloudjar.planes.network.leaks import leaks
    from cloudjar.planes.network.linux import LinuxNetwork
    from cloudjar.planes.proxy import processes as proxies

    compute = MixedCompute(settings.tag, settings.home / "compute")
    network = LinuxNetwork(settings.tag, settings.public_pool, settings.home / "network", None, _NoMetadata())
    try:
        found = compute.machines()
        if found:
            with ThreadPoolExecutor(min(len(found), 8)) as pool:
                list(pool.map(compute.stop, found))
                list(pool.map(compute.remove, found))
        proxies.end(proxies.below(settings.home / "proxy"))  # no namespace would go while they are in it
        network.close()
        left = [*leaks(settings.tag), *compute_doctor.leaks(settings.tag, settings.home / "compute")]
        left += [f"process {pid} (haproxy)" for pid in proxies.below(settings.home / "proxy")]
        left += [f"process {pid} (a tunnel's)" for pid in programs.below(settings.home / "network" / "tunnels")]
    except PlaneError as failed:
        raise Failure("the host could not be restored", str(failed), "cloudjar doctor, then cloudjar down") from None
    if left:
        raise Failure("something of the jar is still on the host", "\n".join(left), "cloudjar down, once more")
    for folder in (compute.runtime / settings.tag).glob("*"):
        with contextlib.suppress(OSError):
            folder.rmdir()
    compute.close()
    return sum(seen == "up" for seen in found.values())


class _NoMetadata:
    """Nothing is served while everything is taken down."""

    def attach(self, vpc_id: str, listener: int) -> None:
        """Never called: nothing is laid out here."""
        raise AssertionError(vpc_id, listener)

    def detach(self, vpc_id: str) -> None:
        """Nothing to stop."""


def _wipe(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name in KEPT:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
