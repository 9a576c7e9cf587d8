"""What costs money: advanced parameters, for as long as they exist; standard ones are free.

https://aws.amazon.com/systems-manager/pricing/#Parameter_Store
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.ssm.records import ADVANCED, Parameter

HELD = Meter("AWSSystemsManager", "PS-Advanced-Param-Tier1", "", "Parameters")


@meters(Parameter)
def parameter_months(parameter: Parameter) -> Iterable[Meter]:
    """An advanced parameter."""
    return (HELD,) if parameter.tier == ADVANCED else ()
