"""The jar's AWS API for commands that act: signed, as whoever the environment says, or as the root of the account.

What the environment says counts only when it points here (``eval "$(cloudjar env)"``, ``cloudjar shell``): keys of a
real account are never sent to a jar.
"""

from __future__ import annotations

import os
from typing import Any

from cloudjar.base.settings import is_loopback
from cloudjar.cli.admin import endpoint
from cloudjar.cli.home import Home
from cloudjar.cli.screen import Failure


class Signed:
    """Clients of the running jar, by service and region."""

    def __init__(self, home: Home) -> None:
        from botocore.session import Session

        self.settings, ready = home.need_ready()
        self.endpoint = endpoint(self.settings, ready)
        self._session = Session()
        if os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/") != self.endpoint:
            if not is_loopback(self.settings.host):
                raise Failure(
                    "this jar listens beyond this host, and so wants a key of yours",
                    "the environment does not point here",
                    'eval "$(cloudjar env)" and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
                )
            self._session.set_credentials("test", "test")

    def client(self, service: str, region: str = "") -> Any:
        """A botocore client."""
        place = region or self.settings.region
        return self._session.create_client(service, region_name=place, endpoint_url=self.endpoint)

    def call(self, service: str, operation: str, region: str = "", **params: Any) -> dict[str, Any]:
        """An operation's answer; raises `Failure` with AWS's own words."""
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: dict[str, Any] = getattr(self.client(service, region), xform_name(operation))(**params)
        except ClientError as error:
            said = error.response["Error"]
            raise Failure(f"{operation}: {said['Code']}: {said['Message']}", "", "cloudjar why --last") from None
        except BotoCoreError as error:
            raise Failure(f"{operation}: {error}") from None
        return answer

    @property
    def account(self) -> str:
        """Whose keys these are."""
        return str(self.call("sts", "GetCallerIdentity")["Account"])
