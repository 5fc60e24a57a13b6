// A checker: whether a task wrote a number near another. What it reads is described in docs/job-files.md.
//
//   near DISTANCE TARGET   one result: its number is within DISTANCE of TARGET
//   near DISTANCE          two results: their numbers are within DISTANCE of each other
//
// Ends with 0 if so, with 1 if not or if there is no number, and says why.
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 2
#define NUMBER_MAX_BYTES 64

typedef struct {
    size_t skip;   // bytes between the last number and this one
    size_t length; // bytes of standard output
} Output;

// Reads the head: where each result's standard output stands in what follows.
static int read_head(Output outputs[RUNS_MAX]) {
    char line[1024];
    size_t skip = 0, size;
    int runs = 0;
    if (!fgets(line, sizeof line, stdin) || strcmp(line, "opensky check 1\n") != 0) return -1;
    while (fgets(line, sizeof line, stdin) && line[0] != '\n') {
        if (sscanf(line, "stdout %zu", &size) == 1 && runs < RUNS_MAX) {
            outputs[runs++] = (Output){skip, size};
            skip = 0;
        } else if (sscanf(line, "input %zu", &size) == 1 || sscanf(line, "file %zu", &size) == 1) {
            skip += size;
        }
    }
    return runs;
}

// The number that a result consists of.
static bool read_number(Output output, double *number) {
    for (; output.skip > 0; output.skip--) {
        if (getchar() == EOF) return false;
    }
    char text[NUMBER_MAX_BYTES + 1];
    if (output.length > NUMBER_MAX_BYTES || fread(text, 1, output.length, stdin) != output.length) return false;
    text[output.length] = '\0';
    char *end;
    *number = strtod(text, &end);
    bool is_whole = end != text && strspn(end, " \r\n\t") == strlen(end) && strlen(text) == output.length;
    return is_whole && isfinite(*number);
}

int main(int argc, char **argv) {
    Output outputs[RUNS_MAX];
    double numbers[RUNS_MAX];
    int runs = read_head(outputs);
    if (argc < 2 || argc > 3 || runs < 1 || runs + argc != 4) {
        fprintf(stderr, "near: what is to be checked and how do not fit\n");
        return 2;
    }
    for (int i = 0; i < runs; i++) {
        if (!read_number(outputs[i], &numbers[i])) {
            printf("result %d is no number\n", i + 1);
            return 1;
        }
    }
    double other = runs == 2 ? numbers[1] : strtod(argv[2], NULL);
    bool is_near = fabs(numbers[0] - other) <= strtod(argv[1], NULL);
    printf("%g is %s %g\n", numbers[0], is_near ? "near" : "not near", other);
    return is_near ? 0 : 1;
}
