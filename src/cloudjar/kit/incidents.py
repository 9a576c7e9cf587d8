"""What befalls machines because whoever runs this jar says so: a spot interruption, an event that AWS schedules.

The service that has the machines declares what it can do; the command line asks through the gateway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from cloudjar.kit.context import World


class Incidents(Protocol):
    """Each call is a transaction of its own; what cannot be is refused by ValueError or an `AwsError`."""

    def interrupt(self, world: World, instance_id: str, seconds: float) -> dict[str, Any]:
        """Have a spot instance interrupted after 120 to 900 seconds of AWS time."""
        ...

    def schedule(self, world: World, instance_id: str, code: str, seconds: float) -> dict[str, Any]:
        """Schedule an event (``instance-stop``, ``system-reboot``, ...) for an instance, after so many seconds."""
        ...


_HAVE: list[Incidents] = []


def declare(incidents: Incidents) -> None:
    """Say who has machines (at import)."""
    _HAVE[:] = [incidents]


def incidents(world: World) -> Incidents:
    """Who has machines; its service is loaded when it is not yet."""
    world.load("ec2")
    return _HAVE[0]
