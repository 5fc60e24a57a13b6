"""Runs a WASI program somewhere on the sky, as if it ran here.

Usage: python3 examples/hello.py PROGRAM.wasm [ARGUMENT…]. A node must be running (`opensky up`).
"""

import sys
from pathlib import Path

from opensky import connect

if len(sys.argv) < 2:
    sys.exit("usage: python3 examples/hello.py PROGRAM.wasm [ARGUMENT…]")

result = connect().run_program(Path(sys.argv[1]), sys.argv[2:])
sys.stdout.buffer.write(result.stdout)
sys.stderr.buffer.write(result.stderr)
print(f"ran on {result.run['node']}", file=sys.stderr)
sys.exit(result.exit_code)
