"""What costs money: requests, each begun 64 KB of messages counting as one.

https://aws.amazon.com/sqs/pricing/
"""

from __future__ import annotations

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.quantities import Owner, Quantities, Tally, collects
from cloudjar.services.sqs import minutes
from cloudjar.services.sqs.records import Queue
from cloudjar.services.sqs.rows import rows

_STANDARD = Tally("AWSQueueService", "Requests-Tier1", "", "Requests", 1)
_FIFO = Tally("AWSQueueService", "Requests-FIFO-Tier1", "", "Requests", 1)


def settle(world: World, queue: Queue) -> None:
    """Count the requests to a queue that were not counted yet; in a transaction."""
    minutes.settle(world)
    known, run = rows(world).known(queue.number), world.state.database.execute
    place = (queue.number, known.billed)
    found = run("SELECT sum(requests-billed) FROM sqs_minute WHERE queue=? AND minute>=?", place).fetchone()
    due: int = found[0] or 0
    if due:
        quantities: Quantities = world.ports["quantities"]
        quantities.add(Owner(queue.account, queue.region, queue.name), _FIFO if queue.fifo else _STANDARD, due)
        run("UPDATE sqs_minute SET billed=requests WHERE queue=? AND minute>=? AND billed<requests", place)
    rows(world).change(queue.number).billed = int(world.clock.now().timestamp()) // 60


@collects
def collect(world: World) -> None:
    """Every queue's."""
    with world.state.database.transaction():
        for queue in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(Queue):
            settle(world, queue)
