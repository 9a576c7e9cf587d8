"""How requests name parameters. Pure."""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.base import arn as arns
from cloudjar.services.ssm import errors

SECRETS = "/aws/reference/secretsmanager/"


class Asked(NamedTuple):
    """A parameter as a request names it: its full name, and a version or label when one is selected.

    `region` and `account` are those of an ARN, empty otherwise: an ARN does not tell whether the name has a slash.
    """

    name: str
    selector: str
    region: str = ""
    account: str = ""

    @property
    def path(self) -> str:
        """The name without its leading slash, as in its ARN."""
        return self.name.removeprefix("/")

    @property
    def secret(self) -> str:
        """The secret that a reference to Secrets Manager means, or ""."""
        return self.name.removeprefix(SECRETS) if self.name.startswith(SECRETS) else ""


def asked(text: str) -> Asked:
    """Read ``NAME``, ``NAME:SELECTOR`` or an ARN with or without a selector; blanks around it do not count."""
    text = text.strip(" ")
    parsed = arns.parse(text)
    if parsed is None or parsed.service != "ssm":
        name, _, selector = text.partition(":")
        return Asked(name, selector)
    name, _, selector = parsed.resource.removeprefix("parameter").partition(":")
    return Asked(name, selector, parsed.region, parsed.account)


def check_path(path: str) -> None:
    """Raise unless a path begins with a slash."""
    if not path.startswith("/"):
        raise errors.bad_path()
