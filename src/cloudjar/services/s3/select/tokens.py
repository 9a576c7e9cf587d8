"""A query's words.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference.html
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from cloudjar.base.errors import AwsError

Kind = Literal["name", "quoted", "number", "text", "sign", "end"]


class Token(NamedTuple):
    """A word, and where it begins."""

    kind: Kind
    text: str
    at: int

    @property
    def word(self) -> str:
        """A bare name in upper case, "" for anything else: what keywords are compared with."""
        return self.text.upper() if self.kind == "name" else ""


_TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    |"(?P<quoted>(?:[^"]|"")*)"
    |'(?P<text>(?:[^']|'')*)'
    |`(?P<stamp>[^`]*)`
    |(?P<sign><=|>=|<>|!=|\|\||[-+*/%=<>(),.\[\]])""",
    re.VERBOSE | re.DOTALL,
)


def refuse(code: str, message: str) -> AwsError:
    """A refusal of a query, 400."""
    return AwsError(code, message, 400)


def tokens(text: str) -> list[Token]:
    """The words of an expression, an end mark last. Raises LexerInvalidChar."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise refuse(
                "LexerInvalidChar", f"The SQL expression contains a character that is not valid: at position {at + 1}"
            )
        kind = match.lastgroup
        if kind == "quoted":
            found.append(Token("quoted", match["quoted"].replace('""', '"'), at))
        elif kind in ("text", "stamp"):
            found.append(Token("text", match[kind].replace("''", "'"), at))
        elif kind in ("number", "name", "sign"):
            found.append(Token(kind, match[kind], at))  # type: ignore[arg-type]  # one of the kinds
        at = match.end()
    found.append(Token("end", "", len(text)))
    return found
