"""The agent of machines by itself: files are read on from where they were, configurations are taken whole or not."""

from __future__ import annotations

import json
import os
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cloudjar.planes.compute.recipes import RECIPES_FOLDER

FOLDER = RECIPES_FOLDER / "common" / "files" / "usr" / "libexec" / "cloudjar"
TAGS = {"instance_id": "i-1", "hostname": "box", "local_hostname": "ip-10-0-0-5", "ip_address": "10.0.0.5"}


def loaded(name: str, file: str) -> ModuleType:
    loader = SourceFileLoader(name, str(FOLDER / file))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(sys.modules, "cloudwatch_figures", loaded("cloudwatch_figures", "cloudwatch_figures.in"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module: Any = loaded("cloudwatch_agent", "cloudwatch-agent")
    module.STATE = str(tmp_path / "state")
    module.CONFIGURATIONS = str(tmp_path / "configurations")
    os.mkdir(module.STATE)
    return module


class Heard:
    """In place of AWS: what was asked; groups and streams have to be made first."""

    def __init__(self, agent: Any) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.offset = 0.0
        self._agent = agent
        self._there = False
        self.broken = False

    def __call__(self, _service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        if self.broken:
            raise self._agent.Failed("ServiceUnavailableException", "not now")
        if operation == "PutLogEvents" and not self._there:
            raise self._agent.Failed("ResourceNotFoundException", "no such group")
        self._there |= operation == "CreateLogStream"
        self.asked.append((operation, parameters))
        return {}

    @property
    def messages(self) -> list[str]:
        return [e["message"] for name, told in self.asked if name == "PutLogEvents" for e in told["logEvents"]]


def logs(agent: Any, heard: Heard, path: Path, **more: Any) -> Any:
    entry = {"file_path": str(path), "log_group_name": "app", "log_stream_name": "{instance_id}/{hostname}", **more}
    return agent.Logs({"logs_collected": {"files": {"collect_list": [entry]}}}, heard, heard, TAGS)


def test_what_comes_is_sent_once_even_over_a_restart_and_a_rotation(agent: Any, tmp_path: Path) -> None:
    file, heard = tmp_path / "app.log", Heard(agent)
    file.write_text("one\ntwo\nthr")
    first = logs(agent, heard, file, retention_in_days=7)
    first.flush()
    first.flush()
    assert heard.messages == ["one", "two"]
    assert [name for name, _ in heard.asked] == [
        "CreateLogGroup", "PutRetentionPolicy", "CreateLogStream", "PutLogEvents"]
    assert heard.asked[-1][1]["logStreamName"] == "i-1/box"
    with file.open("a") as more:
        more.write("ee\n")
    logs(agent, heard, file).flush()
    file.rename(tmp_path / "app.log.1")
    file.write_text("four\n")
    again = logs(agent, heard, file)
    again.flush()
    file.write_text("5\n")
    again.flush()
    assert heard.messages == ["one", "two", "three", "four", "5"]


def test_what_is_not_taken_is_sent_again(agent: Any, tmp_path: Path) -> None:
    file, heard = tmp_path / "app.log", Heard(agent)
    file.write_text("one\n")
    told = logs(agent, heard, file)
    heard.broken = True
    with pytest.raises(agent.Failed):
        told.flush()
    heard.broken = False
    told.flush()
    assert heard.messages == ["one"]


def test_times_are_read_out_of_lines_and_told_in_awss_time(agent: Any, tmp_path: Path) -> None:
    file, heard = tmp_path / "app.log", Heard(agent)
    heard.offset = 86400.0
    file.write_text("2026-01-02 03:04:05,250 begins\n  and goes on\n2026-01-02 03:04:01,000 earlier\n")
    os.utime(file, (0, 0))
    logs(agent, heard, file, timestamp_format="%Y-%m-%d %H:%M:%S,%f", timezone="UTC",
         multi_line_start_pattern="{timestamp_format}").flush()  # fmt: skip
    sent = heard.asked[-1][1]["logEvents"]
    assert [e["message"] for e in sent] == ["2026-01-02 03:04:01,000 earlier",
                                            "2026-01-02 03:04:05,250 begins\n  and goes on"]
    assert [e["timestamp"] for e in sent] == [1767409441000, 1767409445250]


def test_filters_decide_what_is_sent(agent: Any, tmp_path: Path) -> None:
    file, heard = tmp_path / "app.log", Heard(agent)
    file.write_text("GET /health\nGET /a ERROR\nGET /b\n")
    logs(agent, heard, file, filters=[
        {"type": "exclude", "expression": "health"}, {"type": "include", "expression": "ERR.R"}]).flush()
    assert heard.messages == ["GET /a ERROR"]


def test_many_lines_are_many_requests_each_within_the_limits(agent: Any, tmp_path: Path) -> None:
    file, heard = tmp_path / "app.log", Heard(agent)
    file.write_text("".join(f"{n} {'x' * 100}\n" for n in range(25_000)))
    logs(agent, heard, file).flush()
    puts = [told["logEvents"] for name, told in heard.asked if name == "PutLogEvents"]
    assert sum(map(len, puts)) == 25_000
    assert all(len(put) <= 10_000 and sum(len(e["message"]) + 26 for e in put) <= 1_048_576 for put in puts)
    assert heard.messages[24_999].startswith("24999 ")


@pytest.mark.parametrize("wanted", [
    {"traces": {}}, {"logs": {"metrics_collected": {}}}, {"metrics": {"metrics_collected": {"statsd": {}}}},
    {"logs": {"logs_collected": {"windows_events": {}}}},
    {"logs": {"logs_collected": {"files": {"collect_list": [{}]}}}},
])  # fmt: skip
def test_what_it_cannot_do_it_refuses(agent: Any, wanted: dict[str, Any]) -> None:
    with pytest.raises(agent.Refused):
        agent.checked(wanted)


def test_appended_configurations_add_up(agent: Any, tmp_path: Path) -> None:
    os.mkdir(agent.CONFIGURATIONS)
    for name in ("a", "b"):
        entry = {"logs": {"logs_collected": {"files": {"collect_list": [{"file_path": f"/{name}"}]}}}}
        (tmp_path / "configurations" / f"file_{name}.json").write_text(json.dumps(entry))
    found = agent.configuration()["logs"]["logs_collected"]["files"]["collect_list"]
    assert [entry["file_path"] for entry in found] == ["/a", "/b"]


def test_figures_have_awss_names(agent: Any) -> None:
    before: dict[str, Any] = {}
    for kind, collect in agent.COLLECTORS.items():
        list(collect(before, {"resources": ["*"]}))
        for name, unit, value, where in collect(before, {"resources": ["*"]}):
            assert name.startswith(f"{kind}_")
            assert unit in ("Percent", "Bytes", "Count")
            assert value >= 0
            assert all(isinstance(v, str) for v in where.values())
    found = {name: value for name, _, value, _ in agent.COLLECTORS["mem"](before, {})}
    assert 0 < found["mem_used_percent"] < 100
