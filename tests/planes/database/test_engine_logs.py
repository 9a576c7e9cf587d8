"""Files of engines' logs."""

from __future__ import annotations

from cloudjar.planes.database.engine_logs import LogFile, parsed


def test_files_are_told_by_name_and_odd_names_are_passed_over() -> None:
    said = (
        "postgresql.log.2026-01-15-13 20 1768482000.5 7\n.hidden 3 1 8\n"
        "postgresql.log.2026-01-15-12 10 1768478400.0 9\nerror/mysql-error-running.log 4 1 2\n"
    )
    assert parsed(said) == [
        LogFile("error/mysql-error-running.log", 4, 1.0, 2),
        LogFile("postgresql.log.2026-01-15-12", 10, 1768478400.0, 9),
        LogFile("postgresql.log.2026-01-15-13", 20, 1768482000.5, 7),
    ]
