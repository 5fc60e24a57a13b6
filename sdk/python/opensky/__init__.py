"""Run jobs and services on a sky, through the local node.

What it is: a client of the node's local API (docs/api.md), on the standard library alone. What it never does: talk to
other nodes, hold keys of nodes, or decide anything about a job. Start at `connect`, then `Client.run_program`.
"""

from .client import Client
from .connect import connect, data_dir_default
from .content import Content
from .errors import OpenSkyError
from .events import is_final
from .jobs import Result
from .program import ProgramResult
from .services import ServiceClient, ServiceLogPart
from .streams import Stream

__all__ = [
    "Client",
    "Content",
    "OpenSkyError",
    "ProgramResult",
    "Result",
    "ServiceClient",
    "ServiceLogPart",
    "Stream",
    "connect",
    "data_dir_default",
    "is_final",
]
