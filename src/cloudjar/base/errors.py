"""The one exception that is an answer.

Anything else that escapes a handler is our bug: it becomes a 500 and is logged whole.
"""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """An answer in AWS's words.

    `code` and `message` are what the caller sees; `status` is the HTTP status (the model's own, where
    it declares the error shape, wins at serialisation only when `status` is None). `members` are
    further members of the modelled error shape, e.g. ``{"ResourceName": "x"}``.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int | None = None,
        *,
        members: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members or {}
        self.headers = headers or {}

    @property
    def is_server_fault(self) -> bool:
        """True when the answer is the server's fault (5xx)."""
        return self.status is not None and self.status >= 500


class PlaneError(Exception):
    """The host could not do what a plane was asked; the message says what, why and what to try.

    Reconcilers turn it into a state reason of the resource; it never reaches a client as a 500.
    """


def not_implemented(service: str, operation: str) -> AwsError:
    """The honest answer for an operation that is in the model but not in the product (501)."""
    return AwsError(
        "NotImplemented",
        f"The operation {service}:{operation} is not built in Cloudjar yet. See the coverage page for what is.",
        501,
    )
