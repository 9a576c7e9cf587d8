"""A console's bytes as the screen of a text terminal, and that as a picture (pure).

Enough of a terminal for boot logs and logins: line ends, tabs, backspaces, clearing; colours are passed over.
"""

from __future__ import annotations

import io
import re

ROWS, COLUMNS = 25, 80
_CELL = (6, 11)
_SIZE = (720, 400)
"""Pixels: a text mode's, as on EC2."""
_LIGHT = (170, 170, 170)

_CONTROL = re.compile(r"\x1b(?:\[([0-9;?]*)([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[@-Z\\-_=>a-z])")

_CLEARING = (("J", "2"), ("J", "3"), ("H", ""), ("H", "1;1"))


def screen(said: bytes) -> list[str]:
    """The lines of the screen, `ROWS` at most, after everything was said; without empty ones at the end."""
    lines, column = [""], 0
    text = said.decode("utf-8", "replace")
    at = 0
    while at < len(text):
        if text[at] == "\x1b" and (control := _CONTROL.match(text, at)):
            at = control.end()
            if (control[2], control[1]) in _CLEARING:
                lines, column = [""], 0
            elif control[2] == "K" and control[1] in ("", "0"):
                lines[-1] = lines[-1][:column]
            continue
        lines, column = _typed(lines, column, text[at])
        at += 1
    while lines and not lines[-1]:
        lines.pop()
    return lines[-ROWS:]


def _typed(lines: list[str], column: int, sign: str) -> tuple[list[str], int]:
    match sign:
        case "\n":
            return [*lines[-ROWS:], ""], 0
        case "\r":
            return lines, 0
        case "\b":
            return lines, max(0, column - 1)
        case "\t":
            return lines, min(COLUMNS - 1, (column // 8 + 1) * 8)
    if sign < " " or sign == "\x7f":
        return lines, column
    if column >= COLUMNS:
        lines, column = [*lines[-ROWS:], ""], 0
    line = lines[-1].ljust(column)
    lines[-1] = line[:column] + sign + line[column + 1 :]
    return lines, column + 1


def picture(said: bytes) -> bytes:
    """The screen as a JPEG, grey on black."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (COLUMNS * _CELL[0], ROWS * _CELL[1]))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default_imagefont()
    for number, line in enumerate(screen(said)):
        # The font that Pillow carries along knows Latin-1.
        plain = line.encode("latin-1", "replace").decode("latin-1")
        draw.text((0, number * _CELL[1]), plain, fill=_LIGHT, font=font)
    out = io.BytesIO()
    image.resize(_SIZE).save(out, "JPEG", quality=85)
    return out.getvalue()
