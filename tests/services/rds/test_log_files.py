"""Log files: how they are asked for. What is in them is in tests/host/jar."""

from __future__ import annotations

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.database.engine_logs import LogFile
from tests.jar import TestJar
from tests.services.rds.site import Site, refused

TEXT = b"".join(b"line %d\n" % n for n in range(100))


class Shelf:
    """An engine that wrote one file."""

    def files(self, _: str, __: str) -> list[LogFile]:
        return [LogFile("postgresql.log.one", len(TEXT), 2e9)]

    def read(self, _: str, __: str, name: str, start: int, size: int) -> bytes:
        assert name == "postgresql.log.one"
        return TEXT[start : start + size]


class Deaf:
    """A machine that cannot be asked."""

    def files(self, machine: str, _: str) -> list[LogFile]:
        raise PlaneError(machine)


def test_a_file_is_had_from_its_end_or_in_pieces(steady_jar: TestJar) -> None:
    jar = steady_jar
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    rds = site.rds
    assert rds.describe_db_log_files(DBInstanceIdentifier="shop")["DescribeDBLogFiles"] == []
    asked = {"DBInstanceIdentifier": "shop", "LogFileName": "error/postgresql.log.one"}
    with refused("DBLogFileNotFoundFault"):
        rds.download_db_log_file_portion(**asked)
    jar.jar.world.ports["database engine logs"] = Shelf()
    (file,) = rds.describe_db_log_files(DBInstanceIdentifier="shop", FilenameContains="one")["DescribeDBLogFiles"]
    assert (file["LogFileName"], file["Size"]) == ("error/postgresql.log.one", len(TEXT))
    assert rds.describe_db_log_files(DBInstanceIdentifier="shop", FileSize=10_000)["DescribeDBLogFiles"] == []
    last = rds.download_db_log_file_portion(**asked, NumberOfLines=2)
    assert (last["LogFileData"], last["AdditionalDataPending"]) == ("line 98\nline 99\n", False)
    first = rds.download_db_log_file_portion(**asked, NumberOfLines=2, Marker="0")
    assert (first["LogFileData"], first["AdditionalDataPending"]) == ("line 0\nline 1\n", True)
    following = rds.download_db_log_file_portion(**asked, NumberOfLines=1, Marker=first["Marker"])
    assert following["LogFileData"] == "line 2\n"
    rest = rds.download_db_log_file_portion(**asked, Marker=following["Marker"])
    assert rest["LogFileData"].splitlines() == [f"line {n}" for n in range(3, 100)]
    with refused("InvalidParameterValue", "Invalid marker"):
        rds.download_db_log_file_portion(**asked, Marker="999999")


@pytest.mark.parametrize("name", ["error/../../../etc/passwd", "postgresql.log.two"])
def test_what_is_not_there_is_not_found(steady_jar: TestJar, name: str) -> None:
    site = Site(steady_jar)
    site.available(BackupRetentionPeriod=0)
    steady_jar.jar.world.ports["database engine logs"] = Shelf()
    with refused("DBLogFileNotFoundFault"):
        site.rds.download_db_log_file_portion(DBInstanceIdentifier="shop", LogFileName=name)
    steady_jar.jar.world.ports["database engine logs"] = Deaf()
    with refused("DBInstanceNotReady"):
        site.rds.describe_db_log_files(DBInstanceIdentifier="shop")
