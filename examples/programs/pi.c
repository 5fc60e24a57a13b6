// Estimates pi by throwing points at a square, another estimate each time it runs.
//
//   pi POINTS   prints the estimate
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t state;

// xorshift64* (Vigna 2016), from 0 up to and without 1.
static double draw(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)(state * 2685821657736338717u >> 11) / 9007199254740992.0;
}

int main(int argc, char **argv) {
    uint64_t points = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    if (points == 0) {
        fprintf(stderr, "usage: pi POINTS\n");
        return 2;
    }
    while (state == 0) {
        if (getentropy(&state, sizeof state) != 0) return 1;
    }
    uint64_t inside = 0;
    for (uint64_t i = 0; i < points; i++) {
        double x = draw(), y = draw();
        inside += x * x + y * y < 1.0;
    }
    printf("%.6f\n", 4.0 * (double)inside / (double)points);
    return fflush(stdout) == 0 ? 0 : 1;
}
