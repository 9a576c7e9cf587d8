"""A jar's home on disk, as the command line sees it: is a server running, as what was it started, where to ask it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from cloudjar.base.settings import Settings, from_environment, from_json, settled, to_json
from cloudjar.cli.files import Files
from cloudjar.cli.screen import Failure

F = TypeVar("F", bound=Callable[..., Any])


class Ready(msgspec.Struct, frozen=True):
    """What a server writes when it answers."""

    port: int
    pid: int


class Home(Files):
    """The files of one jar and what its commands do with them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.home)
        self.settings = settings

    def exists(self) -> bool:
        """True when something was ever started here."""
        return self.lock_file.exists()

    def is_served(self) -> bool:
        """True while a server lives here, whether it answers yet or not."""
        try:
            handle = os.open(self.lock_file, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """One starts or stops at a time; others wait their turn."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.folder / "command.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError:
            raise self.forbidden() from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def ready(self) -> Ready | None:
        """The running server's port and process, once it answers."""
        if not self.is_served():
            return None
        try:
            return msgspec.json.decode(self.ready_file.read_bytes(), type=Ready)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def started_as(self) -> Settings | None:
        """The settings of the last start whose traces may still be on the host."""
        try:
            return from_json(self.running_file.read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def remember(self, asked: Settings, decided: Settings) -> None:
        """Write down what is about to be started, as it was asked for and as it was decided."""
        for file, settings in ((self.settings_file, asked), (self.running_file, decided)):
            draft = file.with_suffix(".new")
            draft.unlink(missing_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as kept:  # may hold a password
                kept.write(to_json(settings))
            draft.replace(file)

    def need_ready(self) -> tuple[Settings, Ready]:
        """What runs; raises `Failure` when nothing does."""
        try:
            ready = self.ready()
        except PermissionError:
            raise self.forbidden() from None
        if ready is None:
            raise self.not_running()
        return self.started_as() or self.settings, ready

    def not_running(self) -> Failure:
        """The answer of every command that needs a running jar."""
        if os.geteuid() and Path("/var/lib/cloudjar/server.lock").exists():
            return Failure(
                f"nothing runs in {self.folder}", "root has a jar of its own on this host", "sudo cloudjar ..."
            )
        return Failure("the jar is not running", f"no server lives in {self.folder}", "cloudjar up")

    def forbidden(self) -> Failure:
        """The answer to a user who may not look into this home."""
        return Failure(f"{self.folder} belongs to another user", "its jar was started by somebody else, often root",
                       "sudo cloudjar ..., or CLOUDJAR_HOME=... for a jar of your own")  # fmt: skip


def settings_of(home: str | None, **given: object) -> Settings:
    """Settings from options over the environment over those of the last start over the defaults.

    Addresses were given out and things marked on the host by the last start's. Raises `Failure` on a value that
    cannot be.
    """
    env = dict(os.environ)
    if home is not None:
        env["CLOUDJAR_HOME"] = home
    try:
        settings = from_environment(env, is_root=os.geteuid() == 0)
        said = {f: getattr(settings, f) for f in settings.__struct_fields__ if f"CLOUDJAR_{f.upper()}" in env}
        chosen = {name: value for name, value in given.items() if value is not None}
        last = _last(settings.home) or settings
        settings = settled({**msgspec.structs.asdict(last), **said, **chosen, "home": str(settings.home)})
    except msgspec.ValidationError as wrong:
        raise Failure("a setting has a value that it cannot have", str(wrong), "cloudjar up --help") from None
    return msgspec.structs.replace(settings, home=settings.home.absolute())


def _last(home: Path) -> Settings | None:
    try:
        return from_json(Files(home).settings_file.read_bytes())
    except (FileNotFoundError, PermissionError, msgspec.DecodeError):
        return None


def home_option(command: F) -> F:
    """Decorator: ``--home DIR``, and the command gets a `Home`."""

    def callback(_: click.Context, __: click.Parameter, value: str | None) -> Home:
        return Home(settings_of(value))

    option = click.option("--home", callback=callback, metavar="DIR", help="Data directory (CLOUDJAR_HOME).")
    return option(command)


def json_option(command: F) -> F:
    """Decorator: ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="For programs.")(command)
