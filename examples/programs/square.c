// Prints the square of its first argument: the program of the client's example.
//
//   square NUMBER
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: square NUMBER\n");
        return 2;
    }
    uint64_t number = strtoull(argv[1], NULL, 10);
    printf("%" PRIu64 "\n", number * number);
    return 0;
}
