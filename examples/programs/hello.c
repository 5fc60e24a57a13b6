// Says what it was given: its arguments, and how many bytes came on standard input.
#include <stdio.h>

int main(int argc, char **argv) {
    printf("hello from OpenSky\n");
    for (int i = 1; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);

    char buffer[65536];
    unsigned long long stdin_bytes = 0;
    size_t got;
    while ((got = fread(buffer, 1, sizeof buffer, stdin)) > 0) stdin_bytes += got;
    printf("standard input: %llu bytes\n", stdin_bytes);
    return ferror(stdin) ? 1 : 0;
}
