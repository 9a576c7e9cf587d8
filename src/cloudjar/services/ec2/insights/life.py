"""An analysis runs once, on the network as its records are then."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.insights.analysing import analyse
from cloudjar.services.ec2.insights.records import Analysis, Path


@reconciler(Analysis)
def converge(step: Step, analysis: Analysis | None) -> None:
    """Look, and store what was found."""
    if analysis is None or analysis.status != "running":
        return
    with step.world.state.database.transaction():
        step.db[Analysis].put(_done(step, analysis))


def _done(step: Step, analysis: Analysis) -> Analysis:
    path = step.db[Path].get(analysis.path_id)
    if path is None:
        return replace(analysis, status="failed", message="The network insights path was deleted.")
    try:
        found = analyse(step.ctx, path)
    except (AwsError, PlaneError) as error:
        return replace(analysis, status="failed", message=str(error))
    return replace(
        analysis,
        status="succeeded",
        found=found.found,
        forward=found.forward,
        back=found.back,
        explanations=found.explanations,
        said=found.said,
    )
