"""The parts of the command line that need no server."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import click
import pytest

from cloudjar.base.settings import Settings
from cloudjar.cli import aws_tool, bill, claims, clock, money, screen
from cloudjar.cli.leftovers import Used, removal
from cloudjar.cli.screen import Failure
from cloudjar.cli.ssh import find_key


def test_lengths_of_time() -> None:
    assert [clock.seconds(t) for t in ("90s", "90m", "2h", "30d", "1w", "1d12h")] == [
        90, 5400, 7200, 30 * 86400, 7 * 86400, 129600,
    ]  # fmt: skip
    for wrong in ("", "5", "h", "2 h", "-1h", "1.5h"):
        with pytest.raises(click.BadParameter):
            clock.seconds(wrong)


def test_tables_align() -> None:
    assert screen.table([("a", "1"), ("long", "22")], ("Name", "No"), right=(1,)) == [
        "Name  No",
        "a      1",
        "long  22",
    ]
    assert screen.table([]) == []


@pytest.mark.parametrize(
    ("used", "command"),
    [
        (Used("AmazonEC2", "EBS:SnapshotUsage", "snap-1"), "ec2 delete-snapshot --snapshot-id snap-1"),
        (
            Used("AmazonEC2", "EBS:FastSnapshotRestore", "snap-1/eu-west-3a"),
            "ec2 disable-fast-snapshot-restores --availability-zones eu-west-3a --source-snapshot-ids snap-1",
        ),
        (
            Used("AmazonVPC", "TransitGateway-Hours", "tgw-attach-1", operation="TransitGatewayPeering"),
            "ec2 delete-transit-gateway-peering-attachment --transit-gateway-attachment-id tgw-attach-1",
        ),
        (
            Used("AmazonVPC", "TransitGateway-Hours", "tgw-attach-1", operation="TransitGatewayVPC"),
            "ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id tgw-attach-1",
        ),
        (
            Used("AmazonKinesis", "EnhancedFanoutHour", "s/consumer/c:1", "000000000000", "eu-west-3"),
            "kinesis deregister-stream-consumer --consumer-arn "
            "arn:aws:kinesis:eu-west-3:000000000000:stream/s/consumer/c:1 --region eu-west-3",
        ),
        (
            Used("AWSBudgets", "ActionEnabledBudgetsUsage", "my budget", "000000000000"),
            "budgets delete-budget --account-id 000000000000 --budget-name 'my budget'",
        ),
        (
            Used("AmazonRDS", "RDS:GP3-Storage", "three", noun="cluster"),
            "rds delete-db-cluster --db-cluster-identifier three --skip-final-snapshot",
        ),
    ],
)
def test_what_ends_a_usage(used: Used, command: str) -> None:
    assert removal(used) == f"aws {command}"


def test_money_reads_well() -> None:
    assert [bill.dollars(Decimal(x)) for x in ("0", "0.00123", "12.345", "1234.5")] == [
        "0.00",
        "0.0012",
        "12.35",
        "1,234.50",
    ]
    assert [bill.quantity(Decimal(x), "Hrs") for x in ("3", "0.75120", "1000000")] == [
        "3 Hrs",
        "0.7512 Hrs",
        "1,000,000 Hrs",
    ]


def test_months_turn_at_utc_midnight() -> None:
    start, end = money.month_of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert (start, end) == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def jar(home: str, tag: str = "cj", pool: str = "198.18.0.0/16", planes: str = "linux") -> Settings:
    return Settings(home=Path(home), tag=tag, public_pool=pool, planes=planes)  # type: ignore[arg-type]  # a literal


def test_two_jars_never_share_a_mark_or_addresses(tmp_path: Path) -> None:
    claims.claim(jar("/a"), tmp_path)
    claims.claim(jar("/a"), tmp_path)  # its own again
    claims.claim(jar("/s", planes="sim"), tmp_path)  # has nothing on the host
    with pytest.raises(Failure, match="already marks"):
        claims.claim(jar("/b", pool="198.19.0.0/16"), tmp_path)
    with pytest.raises(Failure, match="already has public addresses"):
        claims.claim(jar("/b", tag="b", pool="198.18.128.0/17"), tmp_path)
    with pytest.raises(Failure, match="no IPv4 network"):
        claims.claim(jar("/b", tag="b", pool="nonsense"), tmp_path)
    claims.claim(jar("/b", tag="b", pool="198.19.0.0/16"), tmp_path)
    claims.give_back(jar("/a"), tmp_path)
    claims.claim(jar("/c"), tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.json", "cj.json"]


@pytest.mark.parametrize(
    ("version", "enough"),
    [((1, 28, 9), False), ((1, 29, 0), True), ((2, 9, 19), False), ((2, 13, 0), True), ((2, 27, 50), True)],
)
def test_which_aws_reads_its_endpoint_from_the_environment(version: tuple[int, ...], enough: bool) -> None:
    assert aws_tool.Tool("/usr/bin/aws", version).reads_endpoint is enough


def test_an_old_aws_is_wrapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    old = tmp_path / "old" / "aws"
    old.parent.mkdir()
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo aws-cli/2.9.19 && exit\nfor w; do echo "$w"; done\n')
    old.chmod(0o755)
    wrapper = tmp_path / "bin"
    monkeypatch.setenv("PATH", f"{wrapper}:{old.parent}:/usr/bin:/bin")
    tool = aws_tool.find(wrapper)
    assert tool is not None
    assert (tool.path, str(tool)) == (str(old), "2.9.19")
    aws_tool.wrap(wrapper, tool)
    assert aws_tool.find(wrapper) == tool  # never finds itself

    def said(*argv: str) -> list[str]:
        done = subprocess.run([str(wrapper / "aws"), *argv], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert said("sts", "a b") == ["--endpoint-url", "http://127.0.0.1:4566", "sts", "a b"]
    assert said("s3", "ls", "--endpoint-url", "http://x") == ["s3", "ls", "--endpoint-url", "http://x"]
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert said("sts") == ["sts"]


def test_keys_are_looked_for_where_people_keep_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Failure, match="without a key pair"):
        find_key("")
    with pytest.raises(Failure, match="not found"):
        find_key("mine")
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "mine.pem").touch()
    assert find_key("mine") == tmp_path / ".ssh" / "mine.pem"
