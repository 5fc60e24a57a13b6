// Renders a ray-traced picture in bands, and puts the bands together.
//
//   picture tile INDEX WIDTH HEIGHT TILES   the band INDEX of TILES, on standard output
//   picture assemble                        bands on standard input, in any order → a PNG file
//
// A band is a header of six little-endian words (magic, width, height, tiles, first row, rows) and
// then its pixels, three bytes each.
#include "picture_png.h"
#include "picture_scene.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAND_MAGIC 0x4b53544fu // reads "OTSK"
#define BAND_WORDS 6
#define SIDE_MAX 8192
#define SAMPLES_PER_PIXEL 12

typedef struct {
    uint32_t magic, width, height, tiles, first_row, rows;
} Band;

static int fail(const char *message) {
    fprintf(stderr, "picture: %s\n", message);
    return 1;
}

static Band band_of(uint32_t index, uint32_t width, uint32_t height, uint32_t tiles) {
    uint32_t first_row = (uint32_t)((uint64_t)height * index / tiles);
    uint32_t end_row = (uint32_t)((uint64_t)height * (index + 1) / tiles);
    return (Band){BAND_MAGIC, width, height, tiles, first_row, end_row - first_row};
}

static int render_tile(uint32_t index, uint32_t width, uint32_t height, uint32_t tiles) {
    if (width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX) return fail("sides are 1 to 8192");
    if (tiles == 0 || tiles > height || index >= tiles) return fail("INDEX is below TILES, and TILES at most HEIGHT");
    Band band = band_of(index, width, height, tiles);
    size_t row_bytes = (size_t)width * 3;
    uint8_t *row = malloc(row_bytes);
    if (!row) return fail("out of memory");

    scene_build();
    fwrite(&band, sizeof(uint32_t), BAND_WORDS, stdout); // WASM is little-endian everywhere
    for (uint32_t y = band.first_row; y < band.first_row + band.rows; y++) {
        for (uint32_t x = 0; x < width; x++) {
            scene_pixel(x, y, width, height, SAMPLES_PER_PIXEL, row + (size_t)x * 3);
        }
        fwrite(row, 1, row_bytes, stdout);
    }
    free(row);
    return fflush(stdout) == 0 ? 0 : fail("standard output does not take the band");
}

static int assemble(void) {
    uint8_t *pixels = NULL;
    uint8_t *row_seen = NULL;
    uint32_t width = 0, height = 0, rows_missing = 0;
    Band band;
    size_t words;
    while ((words = fread(&band, sizeof(uint32_t), BAND_WORDS, stdin)) == BAND_WORDS) {
        if (band.magic != BAND_MAGIC) return fail("standard input holds something that is not a band");
        if (!pixels) {
            width = band.width, height = rows_missing = band.height;
            if (width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX) return fail("sides are 1 to 8192");
            pixels = malloc((size_t)width * height * 3);
            row_seen = calloc(height, 1);
            if (!pixels || !row_seen) return fail("out of memory");
        }
        if (band.width != width || band.height != height) return fail("the bands are of different pictures");
        if (band.first_row > height || band.rows > height - band.first_row) return fail("a band is outside the picture");
        for (uint32_t y = band.first_row; y < band.first_row + band.rows; y++) {
            rows_missing -= !row_seen[y];
            row_seen[y] = 1;
        }
        size_t band_bytes = (size_t)band.rows * width * 3;
        uint8_t *to = pixels + (size_t)band.first_row * width * 3;
        if (fread(to, 1, band_bytes, stdin) != band_bytes) return fail("a band is cut short");
    }
    if (words != 0) return fail("a band is cut short");
    if (!pixels) return fail("no bands on standard input");
    if (rows_missing > 0) return fail("some bands are missing");
    return png_write(stdout, pixels, width, height) ? 0 : fail("standard output does not take the picture");
}

int main(int argc, char **argv) {
    if (argc == 6 && strcmp(argv[1], "tile") == 0) {
        return render_tile((uint32_t)strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10),
                           (uint32_t)strtoul(argv[4], NULL, 10), (uint32_t)strtoul(argv[5], NULL, 10));
    }
    if (argc == 2 && strcmp(argv[1], "assemble") == 0) return assemble();
    fprintf(stderr, "usage: picture tile INDEX WIDTH HEIGHT TILES | picture assemble\n");
    return 2;
}
