"""The life of an endpoint: ready once it has been seen, gone with its interface and its tunnels."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.instance_connect_endpoints.records import ConnectEndpoint
from cloudjar.services.ec2.instance_connect_endpoints.tunnel import end_all
from cloudjar.services.ec2.network_interfaces import making
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface

_NEXT = {"create-in-progress": "create-complete", "update-in-progress": "update-complete"}


@reconciler(ConnectEndpoint)
def converge(step: Step, endpoint: ConnectEndpoint | None) -> None:
    """One step towards what is wanted."""
    if endpoint is None:
        return
    if endpoint.state in _NEXT:
        step.change(ConnectEndpoint, _on)
    elif endpoint.state == "delete-in-progress":
        end_all(step.world, endpoint.id)
        with step.world.state.database.transaction():
            eni = step.db[NetworkInterface].get(endpoint.interface_id)
            if eni is not None:
                making.remove(step.ctx, eni)
            fresh = step.db[ConnectEndpoint].get(endpoint.id)
            if fresh is not None:
                step.db[ConnectEndpoint].drop(fresh)


def _on(now: ConnectEndpoint) -> ConnectEndpoint | None:
    return replace(now, state=_NEXT[now.state]) if now.state in _NEXT else None
