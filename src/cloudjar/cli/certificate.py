"""`cloudjar certificate`: what the owner of a domain does, and the root that certificates of this jar go back to."""

from __future__ import annotations

import click

from cloudjar.cli.admin import AdminClient
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import Failure, say, show_json


@click.group()
def certificate() -> None:
    """Certificate Manager's certificates are signed by this jar's own authority."""


@certificate.command()
@click.argument("arn")
@click.option("--domain", default="", help="Only this name of the certificate.")
@home_option
@json_option
def validate(arn: str, domain: str, home: Home, as_json: bool) -> None:
    """Say that the domains of the certificate ARN are whoever's asked for it.

    It stands for the DNS record that AWS waits for, or the link in its mail: the certificate is issued a moment later.
    ARN may be an endpoint service's too (arn:aws:ec2:...:vpc-endpoint-service/ID): its private name is verified then.
    """
    still_open = AdminClient(home).post("certificate-proofs", arn=arn, domain=domain.lower())["open"]
    if as_json:
        return show_json({"open": still_open})
    say(f"still to be proven: {', '.join(still_open)}" if still_open else "all its domains are proven")
    return None


@certificate.command()
@home_option
@click.option("--path", is_flag=True, help="Where the file is, instead of what is in it.")
def root(home: Home, path: bool) -> None:
    """The root certificate, for clients to trust (curl --cacert, AWS_CA_BUNDLE)."""
    file = home.folder / "tls" / "ca.pem"
    if not file.exists():
        raise Failure("this jar has no authority yet", "it is made with the first certificate", "cloudjar status")
    say(str(file) if path else file.read_text().rstrip())
