"""What is asked of identity providers that are elsewhere: a port, so that only the gateway touches the network."""

from __future__ import annotations

from typing import Protocol


class UnreachableError(Exception):
    """Nobody answered at an address in time, or he did not answer what was asked."""


class UntrustedError(Exception):
    """The server's certificate is neither of a public authority nor of one that is known by its thumbprint."""


class Outside(Protocol):
    """Reads documents over HTTPS. Both block for seconds: they are for `prepare` functions (`kit.operation`)."""

    def get(self, url: str, thumbprints: tuple[str, ...], max_age: float) -> bytes:
        """The document at an ``https://`` address, or the copy of it that was read at most `max_age` seconds ago.

        `thumbprints` (SHA-1, hex, lower case) name the authorities to trust beside the public ones. Raises
        `UnreachableError`, `UntrustedError`.
        """
        ...

    def thumbprint(self, url: str) -> str:
        """SHA-1 (hex) of the topmost certificate that the server shows; raises `UnreachableError`."""
        ...
