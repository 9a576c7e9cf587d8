"""What a guest is told while it runs: of names and time, as its DHCP client would hear it at the renewal of its lease.

Guests have no DHCP client: their addresses are set from outside. So the host does what one would: it writes the files
that a client writes, on the guest's own disk, and has the guest's time service read its part.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes import guest_users
from cloudjar.planes.compute import identity
from cloudjar.planes.compute.home import Home
from cloudjar.planes.compute.port import MachineSpec

_SECONDS = 30


def renewed(spec: MachineSpec, told: MachineSpec) -> MachineSpec:
    """A machine's spec with what `told` says of names and time (pure)."""
    return msgspec.structs.replace(
        spec, resolver=told.resolver, fallbacks=told.fallbacks, domain=told.domain, time_servers=told.time_servers
    )


class Leasing(ABC):
    """The part of the ``container`` driver that renews leases (`ComputePort.renew`)."""

    @abstractmethod
    def _home(self, machine_id: str) -> Home:
        """Where everything of a machine is."""

    @abstractmethod
    def _pid(self, home: Home) -> int:
        """The guest's booted init, or 0."""

    @abstractmethod
    def run(
        self, machine_id: str, argv: Sequence[str], timeout: float = 30, given: bytes = b""
    ) -> tuple[int, bytes]:
        """Run a command inside the machine."""

    def interrupt(self, machine_id: str) -> None:
        """Refused: the kernel of a container is the host's."""
        raise PlaneError(f"machine {machine_id} is a container, which has no kernel of its own to interrupt")

    def renew(self, spec: MachineSpec) -> None:
        """Write the files into the running guest; its next boots, also those of its own, begin with them."""
        home = self._home(spec.id)
        with home.locked():
            before = home.spec()
            after = renewed(before, spec) if before is not None else None
            if before is None or after is None or after == before or not self._pid(home):
                return
            home.write("spec.json", msgspec.json.encode(after))
            with guest_users.owner_of(f"/run/netns/{before.network}") as users:
                owner = 0 if users is None else guest_users.FIRST
            identity.plant(home.root, identity.lease_files(after), owner)
        if after.time_servers != before.time_servers:
            with contextlib.suppress(PlaneError):  # a guest without systemd keeps its own time
                self.run(spec.id, ["systemctl", "try-restart", "systemd-timesyncd"], _SECONDS)
