"""`cloudjar ssh`: sign in to an instance by id or name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import click

from cloudjar.base.settings import Settings
from cloudjar.cli.admin import AdminClient, Private
from cloudjar.cli.home import Home, home_option
from cloudjar.cli.screen import Failure, note
from cloudjar.spec import images

_EC2 = "2016-11-15"


class Instance(NamedTuple):
    """What is needed to sign in."""

    id: str
    name: str
    region: str
    state: str
    public_ip: str
    image_id: str
    key_name: str

    @property
    def user(self) -> str:
        """The default user of the image; ``root`` where it is not of the catalogue."""
        found = images.by_id(self.region, self.image_id)
        return found.user if found else "root"


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("instance")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--key", metavar="FILE", type=click.Path(exists=True, dir_okay=False), help="The .pem file.")
@click.option("--user", metavar="NAME", help="Another user than the image's.")
@home_option
def ssh(instance: str, command: tuple[str, ...], key: str | None, user: str | None, home: Home) -> None:
    """Sign in to INSTANCE (its id or its Name tag), or run COMMAND there.

    Goes to the public address; an instance that has none is entered from the host, past its security groups.
    """
    client = AdminClient(home)
    found = find(client, instance)
    settings = client.settings
    if settings.planes == "sim":
        raise Failure(f"{found.id} is simulated", "nothing boots on simulated planes, so there is no shell",
                      "cloudjar down, then sudo cloudjar up --planes linux")  # fmt: skip
    if found.state != "running":
        hint = f"aws ec2 start-instances --instance-ids {found.id}"
        raise Failure(f"{found.id} is {found.state}", "", hint)
    argv = ["ssh", "-i", key or str(find_key(found.key_name)), "-o", "IdentitiesOnly=yes"]
    argv += ["-o", f"UserKnownHostsFile={home.folder / 'known_hosts'}", "-o", "StrictHostKeyChecking=accept-new"]
    # An address is used again by another machine: what is remembered is the machine, not the address.
    argv += ["-o", f"HostKeyAlias={found.id}", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=15"]
    argv += ["-l", user or found.user]
    os.execvp((way := _way(settings, found))[0], [*way, *argv, found.public_ip or "127.0.0.1", *command])


def _way(settings: Settings, found: Instance) -> list[str]:
    """What comes before ``ssh``: nothing, or a step into the machine's network."""
    if shutil.which("ssh") is None:
        raise Failure("ssh is not installed", "", "apt-get install openssh-client")
    if found.public_ip:
        return ["env"]
    note(f"{found.id} has no public address: entering from the host, past its security groups.")
    return ["ip", "netns", "exec", f"cj-{settings.tag}-{found.id}"]


def find(client: AdminClient, wanted: str) -> Instance:
    """The instance with this id or Name tag, in any account and region; raises `Failure`."""
    places = {(r["account"], r["region"]) for r in client.get("records", kind="ec2/instance")["records"]}
    known = [i for account, region in sorted(places) for i in _instances(client.home, account, region)]
    found = [i for i in known if wanted in (i.id, i.name) and i.state != "terminated"]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"{i.id} ({i.region}, {i.state})" for i in found)
        raise Failure(f"several instances are called {wanted}", ids, f"cloudjar ssh {found[0].id}")
    alive = ", ".join(f"{i.id}{f' ({i.name})' if i.name else ''}" for i in known if i.state != "terminated")
    raise Failure(f"there is no instance {wanted}", f"there is {alive}" if alive else "no instance was launched yet",
                  "aws ec2 describe-instances")  # fmt: skip


def find_key(name: str) -> Path:
    """Where people keep the key pair called `name`; raises `Failure`."""
    if not name:
        raise Failure("this instance was launched without a key pair", "nobody can sign in to it with ssh",
                      "launch it with --key-name, or connect with a password that its user data has set")  # fmt: skip
    places = [Path(), Path.home(), Path.home() / ".ssh", Path.home() / "Downloads"]
    names = (f"{name}.pem", name)
    for place in places:
        for file in (place / one for one in names):
            if file.is_file():
                return file
    looked = ", ".join(str(place / names[0]) for place in places)
    raise Failure(f"the private key of {name} was not found", f"looked for {looked}", "cloudjar ssh ... --key FILE")


def _instances(home: Home, account: str, region: str) -> list[Instance]:
    """DescribeInstances through the private door, where every account's root is known."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    body = f"Action=DescribeInstances&Version={_EC2}"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", "http://localhost/", headers=kind, data=body)
    SigV4Auth(Credentials(account, "test"), "ec2", region).add_auth(request)
    connection = Private(home.folder, timeout=60)
    try:
        connection.request("POST", "/", body=body, headers=dict(request.headers))
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise Failure("the jar did not list its instances", text.decode("utf-8", "replace")[:300], "cloudjar logs")
    return [_instance(item, region) for item in ElementTree.fromstring(text).iterfind(".//{*}instancesSet/{*}item")]


def _instance(item: ElementTree.Element, region: str) -> Instance:
    def text(path: str) -> str:
        return item.findtext("/".join(f"{{*}}{part}" for part in path.split("/"))) or ""

    tags = {t.findtext("{*}key"): t.findtext("{*}value") or "" for t in item.iterfind("{*}tagSet/{*}item")}
    return Instance(
        text("instanceId"), tags.get("Name", ""), region, text("instanceState/name"), text("ipAddress"),
        text("imageId"), text("keyName"),
    )  # fmt: skip
