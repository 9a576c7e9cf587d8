"""Root file systems from archives, kind and hostile."""

from __future__ import annotations

import io
import json
import os
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.compute.importing import unpack

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="owners of files can only be restored by root")

Entry = tuple[str, dict[str, Any], bytes]


def entry(name: str, content: bytes = b"", **more: Any) -> Entry:
    return name, more, content


def folder(name: str) -> Entry:
    return entry(name, type=tarfile.DIRTYPE, mode=0o755)


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> Entry:
    return entry(name, type=kind, linkname=to)


def packed(*entries: Entry) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, more, content in entries:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            for key, value in more.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


SYSTEM = (folder("etc"), entry("etc/os-release", b"ID=test\n"), folder("sbin"), entry("sbin/init", b"#!", mode=0o755))


def archive(tmp_path: Path, *entries: Entry) -> Path:
    file = tmp_path / "root.tar.gz"
    file.write_bytes(packed(*entries))
    return file


def test_a_tar_becomes_an_image_once(tmp_path: Path) -> None:
    file = archive(tmp_path, *SYSTEM, entry("usr/bin/sudo", b"x", mode=0o4755, uid=0, gid=7), link("bin", "usr/bin"))
    store = ImageStore(tmp_path / "images")
    key = store.take_in(file)
    assert store.take_in(file) == key
    root = store.rootfs(key)
    sudo = (root / "usr/bin/sudo").stat()
    assert (sudo.st_mode & 0o7777, sudo.st_gid) == (0o4755, 7)
    assert (root / "bin").readlink() == Path("usr/bin")
    info = store.images()[key]
    assert (info.ready, info.available) == (True, True)
    store.prepare(key)
    with pytest.raises(PlaneError, match="not built"):
        store.prepare("import-ffffffffffff")


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ((entry("../evil", b"x"),), "outside of itself"),
        ((link("etc/out", "/"), entry("etc/out/evil", b"x")), "leads outside"),
        ((link("etc/out", "../../.."), entry("etc/out/evil", b"x")), "leads outside"),
        ((link("out", "/"), link("etc/stolen", "out/etc/hostname", tarfile.LNKTYPE)), "outside of itself"),
    ],
)
def test_nothing_is_written_outside(tmp_path: Path, entries: tuple[Entry, ...], why: str) -> None:
    store = ImageStore(tmp_path / "images")
    with pytest.raises(PlaneError, match=why):
        store.take_in(archive(tmp_path, *SYSTEM, *entries))
    assert [key for key in store.images() if key.startswith("import-")] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "root.tar.gz"]


def test_what_cannot_boot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlaneError, match="no init to boot"):
        unpack(archive(tmp_path, folder("etc")), tmp_path / "one")
    with pytest.raises(PlaneError, match="no root file system"):
        unpack(archive(tmp_path, entry("a", b"x")), tmp_path / "two")
    (tmp_path / "text").write_text("not a tar")
    with pytest.raises(PlaneError, match="cannot be unpacked"):
        unpack(tmp_path / "text", tmp_path / "three")


LOWER = packed(*SYSTEM, folder("opt"), entry("opt/old", b"1"), folder("var"), entry("var/gone", b"1"))
UPPER = packed(
    entry("etc/os-release", b"ID=new\n"), entry("opt/.wh..wh..opq"), entry("opt/new", b"2"), entry("var/.wh.gone")
)


def in_docker_form() -> tuple[Entry, ...]:
    manifest = [{"Config": "c.json", "Layers": ["a/layer.tar", "b/layer.tar"]}]
    return (
        entry("a/layer.tar", LOWER),
        entry("b/layer.tar", UPPER),
        entry("manifest.json", json.dumps(manifest).encode()),
    )


def in_oci_form() -> tuple[Entry, ...]:
    def blob(content: bytes) -> tuple[str, Entry]:
        digest = sha256(content).hexdigest()
        return f"sha256:{digest}", entry(f"blobs/sha256/{digest}", content)

    (low, one), (high, two) = blob(LOWER), blob(UPPER)
    manifest, three = blob(json.dumps({"layers": [{"digest": low}, {"digest": high}]}).encode())
    other = {"digest": "sha256:0", "platform": {"architecture": "s390x"}}
    index = {"manifests": [other, {"digest": manifest}]}
    return one, two, three, entry("index.json", json.dumps(index).encode()), entry("oci-layout", b"{}")


@pytest.mark.parametrize("form", [in_docker_form, in_oci_form])
def test_layers_lie_over_each_other(tmp_path: Path, form: Any) -> None:
    root = tmp_path / "root"
    unpack(archive(tmp_path, *form()), root)
    assert (root / "etc/os-release").read_text() == "ID=new\n"
    assert [path.name for path in (root / "opt").iterdir()] == ["new"]
    assert list((root / "var").iterdir()) == []
    assert (root / "sbin/init").exists()
