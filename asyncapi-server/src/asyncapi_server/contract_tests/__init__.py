"""Contract tests of any AsyncAPI document against a running WebSocket server.

Valid messages of every shape, near misses of every constraint and plain garbage are sent over many
connections, in sequences that hypothesis generates and shrinks. Every answer has to be a documented
message, the documented reply, in time and correlated; every connection has to stay alive.

Needs `hypothesis`, which the router itself does not.
"""

from asyncapi_server.contract_tests.campaign import Report, run
from asyncapi_server.contract_tests.rules import Marker, Rules
from asyncapi_server.contract_tests.violations import ContractViolation

__all__ = ["ContractViolation", "Marker", "Report", "Rules", "run"]
