"""What the tests of the advisor say again and again."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar

Row = dict[str, Any]


class Support:
    """The Support API as root, or as somebody else."""

    def __init__(self, jar: TestJar, client: Any = None) -> None:
        self.jar = jar
        self.client = client or jar.client("support", "us-east-1")

    def result(self, check: str, *, anew: bool = True) -> Row:
        """What a check says; looked at anew when five minutes have passed."""
        if anew:
            self.jar.advance(minutes=6)
            self.client.refresh_trusted_advisor_check(checkId=check)
            self.jar.settle()
        result: Row = self.client.describe_trusted_advisor_check_result(checkId=check, language="en")["result"]
        return result

    def rows(self, check: str) -> list[tuple[str, list[str]]]:
        """(status, columns) of every resource of a check."""
        return [(one["status"], one["metadata"]) for one in self.result(check)["flaggedResources"]]

    def status(self, check: str) -> str:
        """``ok``, ``warning``, ``error``, ``not_available``."""
        return str(self.result(check)["status"])
