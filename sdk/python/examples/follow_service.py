"""Says how a service is, then prints what its replicas write until ctrl-c.

Usage: python3 examples/follow_service.py NAME
"""

import sys

from opensky import OpenSkyError, connect

if len(sys.argv) != 2:
    sys.exit("usage: python3 examples/follow_service.py NAME")

services = connect().services
try:
    service = services.show(sys.argv[1])
    print(f"{sys.argv[1]} is {service['state']}, with {len(service['replicas'])} replicas", file=sys.stderr)
    with services.logs(sys.argv[1], follow=True) as parts:
        for part in parts:
            print(f"{part['replica']} | {part['text']}", end="", flush=True)
except KeyboardInterrupt:
    pass  # How one leaves.
except OpenSkyError as error:
    sys.exit(f"{error.code}: {error}")
