"""The wheel is the whole program: installed alone, far from the checkout, it starts, answers and stops."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PATIENCE = 300.0

# What a person would do with nothing but the wheel in a virtual environment; botocore comes with it.
_CALLS = """
import sys, json, botocore.session
session = botocore.session.get_session()
session.set_credentials("test", "test")
def client(name):
    return session.create_client(name, region_name="eu-west-3", endpoint_url=sys.argv[1])
iam, ec2, ssm = client("iam"), client("ec2"), client("ssm")
who = client("sts").get_caller_identity()
policy = iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
name = "/aws/service/debian/release/12/latest/amd64"
image = ssm.get_parameter(Name=name)["Parameter"]["Value"]
vm = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]
print(json.dumps([who["Arn"], policy["Policy"]["PolicyName"], vm["InstanceType"]]))
"""


def _run(*argv: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    assert done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the sources as they are, built from a copy: a stale build folder must not hide a missing file."""
    copy = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", copy / "src", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "dist", ".", cwd=copy)
    (built,) = (copy / "dist").glob("cloudjar-*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    sources = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src" / "cloudjar").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "README.md"
    }
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("cloudjar/")}
    assert {name for name in packed if not name.endswith("README.md")} == sources


def test_an_installed_wheel_starts_answers_and_stops(wheel: Path, tmp_path: Path) -> None:
    venv, away = tmp_path / "venv", tmp_path / "away"
    away.mkdir()
    _run(sys.executable, "-m", "venv", venv, cwd=away)
    _run(venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=away)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHONPATH"))}
    env |= {"CLOUDJAR_HOME": str(tmp_path / "home"), "HOME": str(away), "AWS_EC2_METADATA_DISABLED": "true"}
    command = venv / "bin" / "cloudjar"
    assert _run(command, "--version", cwd=away, env=env).startswith("cloudjar ")
    up = json.loads(_run(command, "up", "--planes", "sim", "--port", "0", "--json", cwd=away, env=env))
    try:
        said = json.loads(_run(venv / "bin" / "python", "-c", _CALLS, up["endpoint"], cwd=away, env=env))
    finally:
        _run(command, "down", cwd=away, env=env)
    assert said == ["arn:aws:iam::000000000000:root", "AdministratorAccess", "t3.micro"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(up["endpoint"].rpartition(":")[2])))
