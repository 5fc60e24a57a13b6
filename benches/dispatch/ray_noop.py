"""Prints how many tasks that do nothing Ray runs in a second, on all cores of this machine.

Needs: pip install ray==2.60.0
"""

import os
import sys
import time

os.environ.setdefault("RAY_DEDUP_LOGS", "0")
import ray

TASKS = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000


@ray.remote
def noop():
    return None


ray.init(num_cpus=os.cpu_count(), include_dashboard=False, log_to_driver=False, configure_logging=False)
ray.get([noop.remote() for _ in range(200)])  # workers are up and warm
start = time.perf_counter()
ray.get([noop.remote() for _ in range(TASKS)])
print(TASKS / (time.perf_counter() - start))
