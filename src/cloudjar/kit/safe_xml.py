"""XML of strangers, parsed so that it can do nothing: no DTD, no entities, no network, bounded in size.

Text is always the whole text of an element: a comment in the middle of a name does not cut it short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element


class BadXmlError(Exception):
    """Not well-formed UTF-8 XML, or more than that."""


def parse(text: str | bytes) -> _Element:
    """The root element; raises `BadXmlError`."""
    from lxml import etree

    data = text.encode() if isinstance(text, str) else text
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadXmlError("not UTF-8") from None
    # Before anything is expanded: what has a DTD is not looked at.
    if data.startswith(b"\xef\xbb\xbf") or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise BadXmlError("a byte order mark or a DTD")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True, encoding="utf-8"
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise BadXmlError("not well-formed") from None
    if root.getroottree().docinfo.internalDTD is not None or next(root.iter(etree.Entity), None) is not None:
        raise BadXmlError("a DTD or an entity")
    return root


def words(element: _Element) -> str:
    """The text of an element with that of the elements in it, without comments and outer white space."""
    return str(element.xpath("string()")).strip()
