// Runs into one limit on purpose, to show how a task is stopped (see docs/limits.md).
//
//   limits spin       never ends: the time or the fuel limit
//   limits memory     takes ever more memory: the memory limit
//   limits flood      writes without end: the output limit
//   limits recurse    calls itself without end: the stack limit
//   limits exit CODE  ends at once with an exit code: no limit, but a failed task
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile uint64_t sink;

static void spin(void) {
    for (;;) sink++;
}

// Ends with 1 where the system says no to memory instead of stopping the task.
static int take_memory(void) {
    const size_t step_bytes = 1 << 20;
    for (unsigned taken_mib = 0;; taken_mib++) {
        char *block = malloc(step_bytes);
        if (!block) {
            fprintf(stderr, "limits: no more memory after %u MiB\n", taken_mib);
            return 1;
        }
        memset(block, 1, step_bytes);
        sink += (uintptr_t)block;
    }
}

static int flood(void) {
    for (;;) {
        if (puts("all work and no play makes jack a dull boy") < 0) return 1;
    }
}

// `sink` is never this large; the compiler can't know.
static uint64_t recurse(uint64_t depth) {
    if (sink == UINT64_MAX) return depth;
    uint64_t deeper = recurse(depth + 1);
    sink += deeper;
    return deeper ^ depth;
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "spin") == 0) spin();
    if (strcmp(mode, "memory") == 0) return take_memory();
    if (strcmp(mode, "flood") == 0) return flood();
    if (strcmp(mode, "recurse") == 0) sink = recurse(1);
    if (strcmp(mode, "exit") == 0 && argc == 3) return atoi(argv[2]);
    fprintf(stderr, "usage: limits spin | memory | flood | recurse | exit CODE\n");
    return 2;
}
