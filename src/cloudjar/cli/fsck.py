"""`cloudjar fsck`: are the objects in S3 what they were when they were stored?"""

from __future__ import annotations

from functools import partial

import click
import msgspec

from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import Failure, say, show_json
from cloudjar.store.soundness import Report

_TOLD = (
    ("lost", "lost: its file is not there"),
    ("rotten", "rotten: its bytes are not what was stored"),
    ("orphans", "a file that nobody refers to"),
    ("miscounted", "a file counted wrong"),
    ("database", "the database"),
)


@click.command()
@home_option
@json_option
@click.option("--repair", is_flag=True, help="Remove orphans, correct counts, put rotten files out of use.")
def fsck(home: Home, repair: bool, as_json: bool) -> None:
    """Verify every stored byte of S3's objects, and that files and index agree. The jar must be down.

    What is lost or rotten cannot be brought back: it is told by bucket, key and version, and whoever reads it gets an
    error, never wrong bytes. Exit code 1 when anything was found.
    """
    with home.alone():
        if home.is_served():
            raise Failure("the jar is running", "its objects change while they are checked", "cloudjar down")
        if not (home.folder / "cloudjar.db").exists():
            raise Failure("there is nothing to check", f"no jar ever was in {home.folder}", "cloudjar up")
        report = _check(home, repair=repair)
    if as_json:
        show_json({**msgspec.to_builtins(report), "sound": report.is_sound})
    else:
        _tell(report)
    if not report.is_sound:
        raise SystemExit(1)


def _check(home: Home, *, repair: bool) -> Report:
    from cloudjar.services.s3.objects.references import references
    from cloudjar.store.blobs import Blobs
    from cloudjar.store.database import Database
    from cloudjar.store.soundness import check

    database = Database(home.folder / "cloudjar.db")
    blobs = Blobs(database, home.folder / "objects")
    try:
        if repair:
            blobs.recover()
        return check(database, blobs, partial(references, database), repair=repair)
    finally:
        blobs.close()
        database.close()


def _tell(report: Report) -> None:
    for name, words in _TOLD:
        for found in getattr(report, name):
            say(f"{found}: {words}")
    mended = " What can be mended is." if report.repaired and not report.is_sound else ""
    verdict = "all sound" if report.is_sound else "NOT sound"
    say(f"{report.blobs:,} objects and parts, {report.files:,} files of {report.bytes:,} bytes: {verdict}.{mended}")
