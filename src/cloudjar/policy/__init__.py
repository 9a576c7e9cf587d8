"""The IAM policy language: documents, conditions, evaluation and explanation; pure, no I/O."""

from cloudjar.policy.document import Document, parse
from cloudjar.policy.evaluate import AccessRequest, Decision, Match, Policy, PolicySet, Reason, decide
from cloudjar.policy.explain import Trace, access_denied, explain
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.policy.principal import Kind, Principal
from cloudjar.policy.remedy import Remedy, remedy
from cloudjar.policy.simulate import Simulation, context_keys, simulate
from cloudjar.policy.tell import render

__all__ = [
    "AccessRequest", "Decision", "Document", "Flavour", "Kind", "Match", "Policy", "PolicySet",
    "PolicySyntaxError", "Principal", "Reason", "Remedy", "Simulation", "Trace", "access_denied", "context_keys",
    "decide", "explain", "parse", "remedy", "render", "simulate",
]  # fmt: skip
