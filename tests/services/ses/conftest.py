"""SES in Paris as root."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.kit import mailbox
from tests.jar import TestJar


class Post:
    """Both APIs, and what lands in the mailbox."""

    def __init__(self, jar: TestJar) -> None:
        self.jar = jar
        self.v1, self.v2 = jar.client("ses"), jar.client("sesv2")

    def letters(self, to: str = "") -> list[mailbox.Mail]:
        """The newest first."""
        return [one.mail for one in mailbox.letters(self.jar.jar.world, recipient=to)]

    def verify(self, *addresses: str) -> None:
        """Make identities, and follow their links."""
        for address in addresses:
            self.v1.verify_email_identity(EmailAddress=address)
            assert follow(self.letters(address)[0].link) == 200

    def simple(self, to: str = "to@example.com", source: str = "from@example.com", **more: Any) -> str:
        """Send a letter by v2; its id."""
        content = {"Simple": {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "Hello"}}}}
        asked = {"FromEmailAddress": source, "Destination": {"ToAddresses": [to]}, "Content": content, **more}
        return str(self.v2.send_email(**asked)["MessageId"])


def follow(link: str) -> int:
    """Open a link; the status."""
    try:
        with urllib.request.urlopen(link) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


def refused(call: Any, **asked: Any) -> tuple[str, str]:
    """Code and message of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**asked)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def post(jar: TestJar) -> Post:
    """SES."""
    return Post(jar)
