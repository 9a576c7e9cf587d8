"""`cloudjar ami import`: a root file system from outside as an AMI of an account."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import click

from cloudjar.base.errors import PlaneError
from cloudjar.cli.admin import AdminClient, Private
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import Failure, note, say, show_json
from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.compute.importing import fetch

_EC2 = "2016-11-15"
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
_ROOT_DEVICE = "/dev/xvda"


@click.group()
def ami() -> None:
    """AMIs from outside."""


@ami.command("import")
@click.argument("source")
@click.option("--name", help="The AMI's name (default: the file's or the image's).")
@click.option("--description", default="", help="The AMI's description.")
@click.option("--region", default="us-east-1", show_default=True, help="The Region to register it in.")
@click.option("--account", default="000000000000", show_default=True, help="The account that will own it.")
@home_option
@json_option
def import_image(
    source: str, name: str | None, description: str, region: str, account: str, home: Home, as_json: bool
) -> None:
    """Take in SOURCE and register it as an AMI.

    SOURCE is a tar of a root file system, an image as `docker save` or an OCI layout writes it, or else the name of an
    image in a registry. It must have an init to boot (systemd): containers' images seldom have one. With
    cloud-init in it, key pairs and user data work.
    """
    client = AdminClient(home)
    if client.settings.planes == "sim":
        raise Failure("this jar is simulated", "nothing boots on simulated planes",
                      "cloudjar down, then sudo cloudjar up --planes linux")  # fmt: skip
    key = take_in(ImageStore(), source)
    called = name or default_name(source)
    image_id = register(home, account, region, called, description, key)
    if as_json:
        return show_json({"image_id": image_id, "name": called, "region": region, "account": account, "system": key})
    say(image_id)
    note(f"{called} is an AMI of {account} in {region}: aws ec2 run-instances --image-id {image_id} ...")
    return None


def take_in(store: ImageStore, source: str) -> str:
    """Unpack a file, or an image that is fetched first; its key on this host. Raises `Failure`."""
    try:
        if Path(source).is_file():
            return store.take_in(Path(source))
        with tempfile.TemporaryDirectory(prefix="cloudjar-") as folder:
            archive = Path(folder) / "image.tar"
            fetch(source, archive)
            return store.take_in(archive)
    except PlaneError as failed:
        why, _, hint = str(failed).partition("Try: ")
        raise Failure(f"{source} cannot be imported", why.strip(), hint) from None


def default_name(source: str) -> str:
    """An AMI name out of a path or a reference: ``alpine.tar.gz`` is ``alpine``, ``repo/app:1`` is ``app-1``."""
    name = Path(source).name
    for ending in (".gz", ".xz", ".bz2", ".zst", ".tgz", ".tar", ".oci"):
        name = name.removesuffix(ending)
    clean = "".join(letter if letter.isalnum() or letter in "().-/_" else "-" for letter in name)
    return clean[:128].ljust(3, "-")


def register(home: Home, account: str, region: str, name: str, description: str, key: str) -> str:
    """RegisterImage through the private door, where every account's root is known; the AMI's id."""
    asked = {
        "Name": name,
        "Architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "ImageLocation": f"cloudjar/{key}",
        "RootDeviceName": _ROOT_DEVICE,
        "VirtualizationType": "hvm",
        "EnaSupport": "true",
    }
    status, text = _ask(home, account, region, asked | ({"Description": description} if description else {}))
    answer = ElementTree.fromstring(text)
    if status != 200:
        code, why = answer.findtext(".//{*}Code") or "", answer.findtext(".//{*}Message") or ""
        hint = "cloudjar ami import ... --name ANOTHER" if code == "InvalidAMIName.Duplicate" else ""
        raise Failure(f"{name} was not registered", f"{code}: {why}", hint)
    return answer.findtext(".//{*}imageId") or ""


def _ask(home: Home, account: str, region: str, asked: Mapping[str, str]) -> tuple[int, bytes]:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    body = urlencode({"Action": "RegisterImage", "Version": _EC2, **asked})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", "http://localhost/", headers=kind, data=body)
    SigV4Auth(Credentials(account, "test"), "ec2", region).add_auth(request)
    connection = Private(home.folder, timeout=60)
    try:
        connection.request("POST", "/", body=body, headers=dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
