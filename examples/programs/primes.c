// Counts primes.
//
//   primes range FROM SIZE   prints "FROM<tab>COUNT" for the numbers from FROM on, SIZE of them
//   primes sum               adds up such lines from standard input, and prints the total
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_ALLOWED (1u << 24)

static bool parse(const char *text, uint64_t *number) {
    char *end;
    *number = strtoull(text, &end, 10);
    return end != text && *end == '\0' && *text != '-';
}

// Crosses out the multiples of `divisor` among the `size` numbers that start at `from`.
static void cross_out(uint8_t *composite, uint64_t from, uint64_t size, uint64_t divisor) {
    uint64_t multiple = (from + divisor - 1) / divisor * divisor;
    if (multiple < divisor * divisor) multiple = divisor * divisor;
    for (; multiple < from + size; multiple += divisor) composite[multiple - from] = 1;
}

static int count_range(uint64_t from, uint64_t size) {
    if (size == 0 || size > SIZE_MAX_ALLOWED || from > UINT32_MAX) {
        fprintf(stderr, "primes: FROM is at most %u and SIZE 1 to %u\n", UINT32_MAX, SIZE_MAX_ALLOWED);
        return 2;
    }
    uint8_t *composite = calloc(size, 1);
    if (!composite) {
        fprintf(stderr, "primes: no memory for %" PRIu64 " numbers\n", size);
        return 1;
    }
    for (uint64_t divisor = 2; divisor * divisor < from + size; divisor++) {
        if (divisor == 2 || divisor % 2 == 1) cross_out(composite, from, size, divisor);
    }
    uint64_t count = 0;
    for (uint64_t i = 0; i < size; i++) count += from + i >= 2 && !composite[i];
    printf("%" PRIu64 "\t%" PRIu64 "\n", from, count);
    return 0;
}

static int sum_lines(void) {
    uint64_t from, count, total = 0;
    int fields;
    while ((fields = scanf("%" SCNu64 "\t%" SCNu64, &from, &count)) == 2) total += count;
    if (fields != EOF) {
        fprintf(stderr, "primes: a line of standard input is not \"FROM<tab>COUNT\"\n");
        return 1;
    }
    printf("%" PRIu64 " primes\n", total);
    return 0;
}

int main(int argc, char **argv) {
    uint64_t from, size;
    if (argc == 4 && strcmp(argv[1], "range") == 0 && parse(argv[2], &from) && parse(argv[3], &size)) {
        return count_range(from, size);
    }
    if (argc == 2 && strcmp(argv[1], "sum") == 0) return sum_lines();
    fprintf(stderr, "usage: primes range FROM SIZE | primes sum\n");
    return 2;
}
