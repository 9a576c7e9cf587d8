"""Are the bytes of objects what they were, and does every file have who refers to it? Asked and mended while no server
runs.

Files and inline blobs carry checksums beside their encryption, so that nobody's key is needed. What is rotten cannot be
mended: it is put aside, so that its readers get an error at once, and told by the name of who refers to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from cloudjar.planes.objects import checksum
from cloudjar.planes.objects.frames import is_sound_inline
from cloudjar.planes.objects.port import Blob
from cloudjar.store.blobs import Blobs, Counted
from cloudjar.store.database import Database

References = Callable[[], Iterable[tuple[str, Blob]]]
"""Every blob that is referred to, with the name of who does (``s3://bucket/key (version)``); may be asked twice."""


class Report(msgspec.Struct):
    """What was found. Names are those of `References`, or of files that nobody refers to."""

    blobs: int = 0
    files: int = 0
    bytes: int = 0
    lost: list[str] = []
    """Their file is not there."""
    rotten: list[str] = []
    """Their bytes are not what was written."""
    orphans: list[str] = []
    """Files that nobody refers to."""
    miscounted: list[str] = []
    """Files that are counted otherwise than they are referred to."""
    database: list[str] = []
    """What SQLite says of its file."""
    repaired: bool = False

    @property
    def is_sound(self) -> bool:
        """True when there is nothing to tell."""
        return not (self.lost or self.rotten or self.orphans or self.miscounted or self.database)


def check(database: Database, blobs: Blobs, references: References, *, repair: bool = False) -> Report:
    """Look at every blob and every file; with `repair` remove orphans, correct counts, put rotten files aside."""
    report = Report(repaired=repair)
    report.database = [row[0] for row in database.query("PRAGMA quick_check") if row[0] != "ok"]
    referred: Counter[str] = Counter()
    for name, blob in references():
        report.blobs += 1
        referred.update(piece.file for piece in blob.pieces)
        if blob.inline and not is_sound_inline(blob.inline):
            report.rotten.append(name)
    lost, rotten = _files(blobs, referred, report, repair=repair, database=database)
    blobs.close()  # what is being removed is removed
    _orphans(blobs, report, repair=repair)
    if lost or rotten:
        _name(references, lost, rotten, report)
    return report


def _files(
    blobs: Blobs, referred: Counter[str], report: Report, *, repair: bool, database: Database
) -> tuple[set[str], set[str]]:
    """Every counted file: is it there, is it sound, is it counted right."""
    lost: set[str] = set()
    rotten: set[str] = set()
    uncounted = set(referred)
    for counted in blobs.ledger():
        uncounted.discard(counted.file)
        refs = referred[counted.file]
        if refs != counted.refs:
            report.miscounted.append(f"{counted.file}: counted {counted.refs}, referred to {refs}")
            if repair:
                with database.transaction():
                    blobs.recount(counted.file, refs)
        if refs:
            _file(blobs, counted, report, lost, rotten)
    for file in sorted(uncounted):  # its count is lost, and with it what the file was
        report.miscounted.append(f"{file}: not counted, referred to {referred[file]}")
        _uncounted(blobs, database, file, referred[file], lost, repair=repair)
    if repair:
        for file in rotten:
            blobs.files.quarantine(file)
    return lost, rotten


def _file(blobs: Blobs, counted: Counted, report: Report, lost: set[str], rotten: set[str]) -> None:
    report.files += 1
    report.bytes += counted.stored.size
    try:
        found = checksum.of_file(blobs.files.place(counted.file))
    except FileNotFoundError:
        lost.add(counted.file)
    except OSError:
        rotten.add(counted.file)
    else:
        if found != counted.stored:
            rotten.add(counted.file)


def _uncounted(blobs: Blobs, database: Database, file: str, refs: int, lost: set[str], *, repair: bool) -> None:
    try:
        found = checksum.of_file(blobs.files.place(file))
    except OSError:
        lost.add(file)
        return
    if repair:
        with database.transaction():
            database.execute("INSERT OR REPLACE INTO object_file VALUES (?, ?, ?, ?)", (file, refs, *found))


def _orphans(blobs: Blobs, report: Report, *, repair: bool) -> None:
    """Files in their place that are not counted any more (what a restored copy of a folder may leave)."""
    known = {file for file, _ in blobs.counts()}
    named = {text.partition(":")[0] for text in report.miscounted}
    for file in blobs.files.settled():
        if file not in known and file not in named:
            report.orphans.append(file)
            if repair:
                blobs.files.remove(file)


def _name(references: References, lost: set[str], rotten: set[str], report: Report) -> None:
    for name, blob in references():
        files = {piece.file for piece in blob.pieces}
        if files & lost:
            report.lost.append(name)
        if files & rotten:
            report.rotten.append(name)
