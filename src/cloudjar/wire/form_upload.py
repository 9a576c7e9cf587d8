"""A browser's form with a file (multipart/form-data), read as it comes: fields are kept, the file's bytes passed on.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html
https://www.rfc-editor.org/rfc/rfc7578
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cloudjar.base.errors import AwsError

_LARGEST_FIELDS = 20_000
"""Bytes of everything that comes before the file."""
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;,"]{1,70}))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"


def boundary(content_type: str) -> str:
    """What separates the parts, from the Content-Type header. AwsError when it does not say."""
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise malformed()
    return match[1] or match[2]


def malformed() -> AwsError:
    """The body is not what its Content-Type promises."""
    return AwsError(
        "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.", 400
    )


class FormDecoder:
    """Takes a form in pieces of any size; gives the file's bytes. `began` is called with the fields (lower-case names)
    when the file begins, and says how many bytes it may have at most (None: any number)."""

    def __init__(self, separator: str, began: Callable[[dict[str, str]], int | None] = lambda _: None) -> None:
        self.fields: dict[str, str] = {}
        self.filename = ""
        self._mark = b"\r\n--" + separator.encode("latin-1")
        self._began = began
        self._held = b"\r\n"
        self._state = "preamble"
        self._name = ""
        self._files = 0
        self._most: int | None = None
        self._size = 0

    def feed(self, data: bytes) -> bytes:
        """The next bytes of the form; AwsError for what is none, or has too much before its file."""
        if self._state == "end":
            return b""
        self._held += data
        out = b""
        while True:
            before = self._state, len(self._held)
            out += self._step()
            if (self._state, len(self._held)) == before:
                break
        if self._state in ("head", "field") and len(self._held) > _LARGEST_FIELDS:
            raise _too_much()
        return out

    def finish(self) -> None:
        """Raise unless the form was whole and had a file."""
        if self._state != "end":
            raise malformed()
        if self._files != 1:
            raise AwsError(
                "InvalidArgument",
                "POST requires exactly one file upload per request.",
                400,
                members={"ArgumentName": "file", "ArgumentValue": str(self._files)},
            )

    def _step(self) -> bytes:
        match self._state:
            case "preamble" | "field" | "rest":
                return self._to_mark(keep=self._state == "field")
            case "after mark":
                self._after_mark()
            case "head":
                self._head()
            case "file":
                return self._file()
        return b""

    def _to_mark(self, *, keep: bool) -> bytes:
        at = self._held.find(self._mark)
        if at < 0:
            if not keep:
                self._held = self._held[-len(self._mark) :]
            return b""
        if keep:
            self.fields[self._name] = self._held[:at].decode("utf-8", "replace")
            if sum(len(k) + len(v) for k, v in self.fields.items()) > _LARGEST_FIELDS:
                raise _too_much()
        self._held = self._held[at + len(self._mark) :]
        self._state = "after mark"
        return b""

    def _after_mark(self) -> None:
        if len(self._held) < 2:
            return
        if self._held.startswith(b"--") or self._files:
            self._state = "end"  # what follows the file is passed over
            self._held = b""
        elif self._held.startswith(b"\r\n"):
            self._held = self._held[2:]
            self._state = "head"
        else:
            raise malformed()

    def _head(self) -> None:
        at = self._held.find(_END_OF_HEAD)
        if at < 0:
            return
        head = self._held[:at].decode("utf-8", "replace")
        self._held = self._held[at + len(_END_OF_HEAD) :]
        parameters: dict[str, str] = {}
        for line in head.split("\r\n"):
            if line.lower().startswith("content-disposition:"):
                parameters = {name.lower(): value for name, value in _PARAMETER.findall(line)}
        if "name" not in parameters:
            raise malformed()
        self._name = parameters["name"].lower()
        if self._name != "file":
            self._state = "field"
            return
        self.filename = re.split(r"[/\\]", parameters.get("filename", ""))[-1]
        self._files = 1
        self._state = "file"
        self._most = self._began(self.fields)

    def _file(self) -> bytes:
        at = self._held.find(self._mark)
        if at >= 0:
            out, self._held = self._held[:at], self._held[at + len(self._mark) :]
            self._state = "after mark"
        else:
            keep = len(self._mark) - 1
            out, self._held = self._held[:-keep], self._held[-keep:]
        self._size += len(out)
        if self._most is not None and self._size > self._most:
            raise too_large(self._size, self._most)
        return out


def too_large(size: int, most: int) -> AwsError:
    """The file has more bytes than its form's policy allows."""
    return AwsError(
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size",
        400,
        members={"ProposedSize": str(size), "MaxSizeAllowed": str(most)},
    )


def _too_much() -> AwsError:
    return AwsError(
        "MaxPostPreDataLengthExceeded", "Your POST request fields preceding the upload file were too large.", 400
    )
