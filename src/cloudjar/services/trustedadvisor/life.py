"""A refresh that was asked for, in the background."""

from __future__ import annotations

from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.trustedadvisor.checking import CHECKS
from cloudjar.services.trustedadvisor.engine import ENGINE
from cloudjar.services.trustedadvisor.records import Kept


@reconciler(Kept)
def run(step: Step, kept: Kept | None) -> None:
    """Look, when somebody asked for it; what is found takes the request's place."""
    if kept is not None and kept.asked is not None and kept.check in CHECKS:
        ENGINE.look(step.ctx, [kept.check], anew=True)
