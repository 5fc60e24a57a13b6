"""Prints how many processes that do nothing HyperQueue runs in a second, on all cores of this machine.

Needs: pip install hyperqueue==0.27.0
"""

import os
import sys
import tempfile
import time

from hyperqueue import Job
from hyperqueue.cluster import LocalCluster, WorkerConfig

TASKS = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000


def run(client, tasks):
    job = Job()
    for _ in range(tasks):
        job.program(["true"], stdout=None, stderr=None)
    client.wait_for_jobs([client.submit(job)])


with tempfile.TemporaryDirectory() as folder, LocalCluster(folder, WorkerConfig(os.cpu_count())) as cluster:
    client = cluster.client()
    run(client, 50)  # the worker is up and warm
    start = time.perf_counter()
    run(client, TASKS)
    rate = TASKS / (time.perf_counter() - start)
print(rate)
