"""git-annex keeps large files in S3. Debian's signs for the region that AWS's own host names say, and for no port: so
it gets a network of its own, in which the jar is `s3-eu-west-3.amazonaws.com` at port 80."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]

_SERVE = """
import sys
from pathlib import Path
from cloudjar.app import serve
from cloudjar.base.settings import Settings
home = Path(sys.argv[1])
serve(Settings(home=home, port=80, planes="sim", durable=False), home / "ready.json")
"""
_STORY = """
set -eu
ip link set lo up
{ cat /etc/hosts; echo 127.0.0.1 s3-eu-west-3.amazonaws.com; } >hosts
mount --bind hosts /etc/hosts
"$PYTHON" -c "$SERVE" "$PWD/jar" & jar=$!
trap 'kill $jar; wait $jar || true' EXIT
until [ -e jar/ready.json ]; do kill -0 $jar; sleep 0.1; done
git init --quiet repository
cd repository
git config annex.security.allowed-ip-addresses all
git annex init here
head -c 20000000 /dev/urandom >large
sha256sum large >../large.sum
git annex add large
git commit --quiet -m large
git annex initremote jar type=S3 encryption=none host=s3-eu-west-3.amazonaws.com protocol=http requeststyle=path \
    signature=v4 datacenter=eu-west-3 bucket=cj-annex chunk=5MiB
git annex copy --to jar large
git annex drop large
[ ! -e large ]
git annex get large
sha256sum -c ../large.sum
git annex fsck --from jar large
git annex drop --from jar --force large
"""


def test_large_files_go_to_s3_and_come_back(tmp_path: Path) -> None:
    (tmp_path / "jar").mkdir()
    who = {f"GIT_{role}_{part}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", _STORY],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test", "PYTHON": sys.executable, "SERVE": _SERVE, **who,
        },
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "large: OK" in done.stdout
