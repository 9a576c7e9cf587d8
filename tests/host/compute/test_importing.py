"""A system from a tarball boots like one that was built here."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.images import ImageStore
from tests.host.compute.conftest import IMAGE, spec, until
from tests.host.compute.guestnet import guest_network, sh
from tests.host.compute.test_machine import inside

pytestmark = pytest.mark.host


def test_an_imported_system_boots(host: ContainerCompute, key: tuple[Path, str]) -> None:
    built = host.store.rootfs(IMAGE)
    archive = host.state / "root.tar"
    sh("tar", "--numeric-owner", "--exclude=./usr/share/doc", "-cf", str(archive), "-C", str(built), ".")
    host.store = ImageStore(host.state / "images")
    imported = host.store.take_in(archive)
    archive.unlink()
    assert host.images()[imported].ready
    with guest_network(39, instance="i-imp", public_key=key[1]):
        host.start(spec(39, "i-imp", image=imported))
        assert inside(host, "i-imp", "hostname; stat -c %a /usr/bin/sudo").split() == ["ip-10-77-39-2", "4755"]
        until(lambda: host.run("i-imp", ["test", "-S", "/run/dbus/system_bus_socket"])[0] == 0, 60)
        assert inside(host, "i-imp", "systemctl is-system-running --wait || systemctl --failed") == "running"
        host.remove("i-imp")
