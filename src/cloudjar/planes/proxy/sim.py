"""The proxy plane in memory: for tests, and for hosts without root. It moves no requests and probes nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from cloudjar.planes.proxy.configuration import files
from cloudjar.planes.proxy.port import Carried, Connection, Counted, Node, Request, TargetHealth


class SimProxy:
    """Holds what the real driver would run; refuses what that would refuse.

    Targets are found well as soon as they are applied, but for those that `found` was told about.
    """

    name = "sim"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nodes: dict[str, Node] = {}
        self._told: dict[str, TargetHealth] = {}
        self._requests: dict[str, list[Request]] = {}
        self._connections: dict[str, list[Connection]] = {}
        self._carried: dict[str, int] = {}
        self._counted: dict[str, Counted] = {}
        self._changed: Callable[[str], None] = lambda _: None
        self._busy: Callable[[str], None] = lambda _: None

    def apply(self, node: Node) -> None:
        """Hold exactly this node."""
        files(node, "/sim")
        with self._lock:
            before = self._nodes.get(node.id)
            self._nodes[node.id] = node
        if before is None or before.groups != node.groups:
            self._changed(node.id)

    def remove(self, node_id: str) -> None:
        """Forget the node."""
        with self._lock:
            self._nodes.pop(node_id, None)

    def nodes(self) -> list[str]:
        """Every node that was applied."""
        return sorted(self._nodes)

    def node(self, node_id: str) -> Node:
        """What was applied last."""
        return self._nodes[node_id]

    def health(self, node_id: str) -> dict[tuple[str, str], TargetHealth]:
        """Every probed target of a node."""
        with self._lock:
            node = self._nodes.get(node_id)
            return {
                (group.id, target.name): self._told.get(target.name, TargetHealth(state="healthy"))
                for group in (node.groups if node else ())
                if group.check
                for target in group.targets
            }

    def found(self, target: str, health: TargetHealth) -> None:
        """From now on the probes of ``address:port`` come to this."""
        with self._lock:
            self._told[target] = health
            nodes = list(self._nodes)
        for node_id in nodes:
            self._changed(node_id)

    def serve(self, node_id: str, *requests: Request) -> None:
        """As if the node had answered these; one that does not log forgets them."""
        with self._lock:
            node = self._nodes.get(node_id)
            if node is not None and node.logs:
                self._requests.setdefault(node_id, []).extend(requests)

    def requests(self, node_id: str, places: Mapping[str, int]) -> tuple[list[Request], dict[str, int]]:
        """What `serve` made it."""
        with self._lock:
            found = self._requests.get(node_id, [])
            return found[places.get("sim", 0) :], {"sim": len(found)}

    def meet(self, node_id: str, *connections: Connection) -> None:
        """As if clients had connected so to the node; one that does not log forgets them."""
        with self._lock:
            node = self._nodes.get(node_id)
            if node is not None and node.logs:
                self._connections.setdefault(node_id, []).extend(connections)

    def connections(self, node_id: str, places: Mapping[str, int]) -> tuple[list[Connection], dict[str, int]]:
        """What `meet` made it."""
        with self._lock:
            found = self._connections.get(node_id, [])
            return found[places.get("sim", 0) :], {"sim": len(found)}

    def carry(self, node_id: str, received: int) -> None:
        """As if the node had received so many bytes more."""
        with self._lock:
            self._carried[node_id] = self._carried.get(node_id, 0) + received

    def carried(self, node_id: str) -> Carried | None:
        """What `carry` made it."""
        with self._lock:
            return Carried(born="sim", received=self._carried.get(node_id, 0)) if node_id in self._nodes else None

    def count(self, node_id: str, counted: Counted) -> None:
        """As if the node had counted this in all."""
        with self._lock:
            self._counted[node_id] = counted
        self._busy(node_id)

    def counted(self, node_id: str) -> tuple[Counted, ...]:
        """What `count` said last."""
        with self._lock:
            return (self._counted[node_id],) if node_id in self._counted and node_id in self._nodes else ()

    def watch(self, changed: Callable[[str], None], busy: Callable[[str], None] = lambda _: None) -> None:
        """Call `changed` when a node's health is otherwise, `busy` when `count` is called."""
        self._changed, self._busy = changed, busy

    def release(self) -> None:
        """Nothing is held open."""
