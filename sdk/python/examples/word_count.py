"""Counts the words of a text on the sky: one task per line, whose counts one more task merges.

Usage: python3 examples/word_count.py wordcount.wasm TEXT. The program is in examples/programs of the repository.
"""

import sys
from itertools import accumulate
from pathlib import Path

from opensky import connect
from opensky.types import JobRequest, ProgramRequest

if len(sys.argv) != 3:
    sys.exit("usage: python3 examples/word_count.py wordcount.wasm TEXT")

client = connect()
text = Path(sys.argv[2]).read_bytes()
wordcount = client.upload(Path(sys.argv[1]))


def program(step: str) -> ProgramRequest:
    return {"hash": wordcount["hash"], "size_bytes": wordcount["size_bytes"], "args": [step]}


job: JobRequest = {
    "name": "word count",
    "stages": [
        {
            "name": "count",
            "program": program("map"),
            "inputs": {
                "kind": "slices",
                "blob": client.upload(text),
                # Where lines begin, and where the last one ends.
                "cuts": [0, *accumulate(len(line) for line in text.splitlines(keepends=True))],
            },
        },
        {
            "name": "total",
            "program": program("reduce"),
            "inputs": {"kind": "reduce", "stage": 0, "fan_in": 1024},
        },
    ],
}

submitted = client.submit(job)
with client.watch(submitted["job"]) as events:
    for event in events:
        if event["event"] == "progress":
            print(", ".join(f"{stage['done']} done" for stage in event["stages"]), file=sys.stderr)
        elif event["event"] == "job":
            print(event["state"], event["reason"], file=sys.stderr)
for result in client.results(submitted["job"]):
    sys.stdout.buffer.write(result.stdout)
