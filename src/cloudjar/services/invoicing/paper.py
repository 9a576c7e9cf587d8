"""Text as PDF: pages of A4 in Courier, one of the fonts that every reader has, so that nothing is embedded and the text
can be searched and copied. Pure.

ISO 32000-1 (PDF 1.4): 7.5 file structure, 9.4 text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

WIDTH, HEIGHT, MARGIN = 595, 842, 56
SIZE, LEADING, HEAD = 9, 12, 14
COLUMNS = (WIDTH - 2 * MARGIN) * 1000 // (SIZE * 600)
"""Characters in a line."""
_LINES = (HEIGHT - 2 * MARGIN) // LEADING - 3


def pdf(title: str, lines: Sequence[str]) -> bytes:
    """A document with a title on its first page; what does not fit into a line is cut off."""
    pages = [lines[at : at + _LINES] for at in range(0, max(len(lines), 1), _LINES)]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    fonts = [b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>" % name
             for name in (b"Courier", b"Helvetica-Bold")]  # fmt: skip
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Font << /F1 " + fonts[0] + b" /F2 " + fonts[1] + b" >> >>",
    ]
    for number, page in enumerate(pages):
        content = "\n".join(_content(title if number == 0 else "", page, number + 1, len(pages)))
        stream = content.encode("cp1252", "replace")
        box = f"/MediaBox [0 0 {WIDTH} {HEIGHT}] /Resources 3 0 R /Contents {5 + 2 * number} 0 R"
        objects.append(f"<< /Type /Page /Parent 2 0 R {box} >>".encode())
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return _file(objects, title)


def _content(title: str, lines: Sequence[str], number: int, count: int) -> Iterator[str]:
    top = HEIGHT - MARGIN
    if title:
        yield f"BT /F2 {HEAD} Tf {MARGIN} {top} Td ({_escaped(title)}) Tj ET"
    yield f"BT /F1 {SIZE} Tf {LEADING} TL {MARGIN} {top - 2 * LEADING} Td"
    for line in lines:
        yield f"({_escaped(line[:COLUMNS])}) Tj T*"
    yield "ET"
    yield f"BT /F1 {SIZE} Tf {MARGIN} {MARGIN - LEADING} Td (Page {number} of {count}) Tj ET"


def _escaped(text: str) -> str:
    for mark in ("\\", "(", ")"):
        text = text.replace(mark, f"\\{mark}")
    return text


def _file(objects: Sequence[bytes], title: str) -> bytes:
    """The objects, where each begins, and what to read first."""
    info = b"<< /Title (%s) /Producer (Cloudjar) >>" % _escaped(title).encode("cp1252", "replace")
    out, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate((*objects, info), 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, count = len(out), len(places) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % count
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, count - 1, start)
    return bytes(out)
