"""`cloudjar env` and `cloudjar shell`: the AWS tools pointed here, the user's own configuration untouched."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from cloudjar.base.settings import Settings, is_loopback
from cloudjar.cli import aws_tool
from cloudjar.cli.admin import endpoint
from cloudjar.cli.home import Home, Ready, home_option, json_option
from cloudjar.cli.screen import Failure, note, say, show_json

_UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
          "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")  # fmt: skip
"""What of the user's own environment would lead elsewhere."""


@click.command()
@click.option("--fish", is_flag=True, help="For the fish shell.")
@home_option
@json_option
def env(fish: bool, home: Home, as_json: bool) -> None:
    """Lines for `eval "$(cloudjar env)"`: plain `aws`, boto3, Terraform ... talk to the jar from then on."""
    settings, ready = home.need_ready()
    found = variables(home, settings, ready)
    if as_json:
        return show_json(found)
    unset = [name for name in _UNSET if name in os.environ]
    if fish:
        lines = [f"set -gx {k} {shlex.quote(v)};" for k, v in found.items()] + [f"set -e {k};" for k in unset]
    else:
        lines = [f"export {k}={shlex.quote(v)}" for k, v in found.items()] + [f"unset {k}" for k in unset]
    say("\n".join(lines))
    return None


def variables(home: Home, settings: Settings, ready: Ready) -> dict[str, str]:
    """The environment of a client of this jar as root of the default account."""
    found = {
        "AWS_ENDPOINT_URL": endpoint(settings, ready),
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
    }
    if not is_loopback(settings.host):
        note("# This jar listens beyond this host: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to your own key.")
    else:
        found |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    path = _path(home)
    return {**found, "PATH": path} if path else found


def _path(home: Home) -> str:
    """A PATH with a wrapper in front when this host's `aws` needs one, else ""."""
    wrapper = home.folder / "bin"
    tool = aws_tool.find(wrapper)
    folders = [f for f in os.environ.get("PATH", "").split(os.pathsep) if Path(f) != wrapper]
    if tool is None or tool.reads_endpoint:
        return ""
    aws_tool.wrap(wrapper, tool)
    return os.pathsep.join([str(wrapper), *folders])


@click.command()
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@home_option
def shell(command: tuple[str, ...], home: Home) -> None:
    """A shell (or one COMMAND, after --) in which plain `aws` works.

    Its configuration and credentials are files of the jar's own, so `aws configure` in it changes just those.
    """
    settings, ready = home.need_ready()
    environ = {k: v for k, v in os.environ.items() if k not in _UNSET}
    found = variables(home, settings, ready)
    # Keys come from the private file, so that `aws configure` works; a key in the environment would win over it.
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        environ.pop(name, None)
    environ |= {k: v for k, v in found.items() if k in ("AWS_ENDPOINT_URL", "PATH")}
    environ |= _private_files(home, settings)
    argv = list(command) or _interactive(home, environ)
    try:
        os.execvpe(argv[0], argv, environ)
    except OSError as failed:
        raise Failure(f"{argv[0]} cannot be run", str(failed.strerror)) from None


def _private_files(home: Home, settings: Settings) -> dict[str, str]:
    folder = home.folder / "aws"
    folder.mkdir(mode=0o700, exist_ok=True)
    config, credentials = folder / "config", folder / "credentials"
    if not config.exists():
        config.write_text(f"[default]\nregion = {settings.region}\noutput = json\n")
    if not credentials.exists() and is_loopback(settings.host):
        credentials.touch(mode=0o600)
        credentials.write_text("[default]\naws_access_key_id = test\naws_secret_access_key = test\n")
    return {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}


def _interactive(home: Home, environ: dict[str, str]) -> list[str]:
    """The user's shell, with a hint in its prompt."""
    program = os.environ.get("SHELL") or "/bin/sh"
    if Path(program).name == "bash":
        startup = home.folder / "aws" / "bashrc"
        lines = ["[ -f ~/.bashrc ] && . ~/.bashrc", 'PS1="(cloudjar) $PS1"']
        if (home.folder / "bin").is_dir():  # a start-up file may set PATH anew; the wrapper must stay in front
            lines.append(f"PATH={shlex.quote(str(home.folder / 'bin'))}:$PATH")
        startup.write_text("\n".join(lines) + "\n")
        return [program, "--rcfile", str(startup), "-i"]
    environ["PS1"] = "(cloudjar) $ "
    note("cloudjar shell: `exit` to leave.")
    return [program, "-i"]
