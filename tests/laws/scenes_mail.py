"""What the laws ask both versions of SES about."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from cloudjar.kit.mailbox import letters
from tests.jar import TestJar
from tests.services.ses.conftest import follow

_NUMBERS = itertools.count()
_HI = {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "Hello"}}}
_TO = {"ToAddresses": ["to@example.com"]}
_RAW = b"From: law@example.com\r\nTo: to@example.com\r\n\r\nHello\r\n"
_ON_IDENTITIES = ("DeleteEmailIdentity", "GetEmailIdentity", "PutEmailIdentityDkimAttributes",
                  "CreateEmailIdentityPolicy", "DeleteEmailIdentityPolicy", "GetEmailIdentityPolicies",
                  "PutEmailIdentityFeedbackAttributes", "UpdateEmailIdentityPolicy")  # fmt: skip


def _identity(things: Any) -> dict[str, Any]:
    name = f"law{next(_NUMBERS)}@example.com"
    things.jar.client("sesv2").create_email_identity(EmailIdentity=name)
    return {"EmailIdentity": name}


SCENES: dict[str, Any] = {
    **{f"sesv2:{name}": _identity for name in _ON_IDENTITIES},
    "sesv2:CreateEmailIdentity": lambda _: {"EmailIdentity": f"law{next(_NUMBERS)}@example.com"},
    "sesv2:SendEmail": lambda _: {
        "FromEmailAddress": "law@example.com", "Destination": _TO, "Content": {"Simple": _HI},
    },
    "ses:SendEmail": lambda _: {"Source": "law@example.com", "Destination": _TO, "Message": _HI},
    "ses:SendTemplatedEmail": lambda _: {
        "Source": "law@example.com", "Destination": _TO, "Template": "law", "TemplateData": "{}",
    },
    "ses:SendBulkTemplatedEmail": lambda _: {
        "Source": "law@example.com", "Destinations": [{"Destination": _TO}], "Template": "law",
        "DefaultTemplateData": "{}",
    },
    "sesv2:SendBulkEmail": lambda _: {
        "FromEmailAddress": "law@example.com", "BulkEmailEntries": [{"Destination": _TO}],
        "DefaultContent": {"Template": {"TemplateName": "law"}},
    },
    "ses:SendRawEmail": lambda _: {"RawMessage": {"Data": _RAW}},
}  # fmt: skip


def many(jar: TestJar) -> dict[str, Any]:
    """Several identities."""
    for n in range(7):
        jar.client("ses").verify_email_identity(EmailAddress=f"many{n}@example.com")
        jar.client("ses").create_configuration_set(ConfigurationSet={"Name": f"many{n}"})
        jar.client("ses").create_template(Template={"TemplateName": f"many{n}", "SubjectPart": "Hi"})
    return {}


def _verified(jar: TestJar) -> dict[str, Any]:
    jar.client("ses").verify_email_identity(EmailAddress="waited@example.com")
    follow(letters(jar.jar.world, recipient="waited@example.com")[0].mail.link)
    return {"Identities": ["waited@example.com"]}


WAITERS: dict[str, Callable[[TestJar], dict[str, Any]]] = {"IdentityExists": _verified}
