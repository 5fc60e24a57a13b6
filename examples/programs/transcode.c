// Converts a picture: binary PPM (P6, 8 bits a channel) on standard input, PNG in /out.
//
//   transcode NAME [WIDTH]   writes /out/NAME.png, where NAME may be a path whose folders and last ending are left
//                            out; pictures wider than WIDTH are made smaller
#include "picture_png.h"
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_MAX 8192
#define NAME_MAX_BYTES 200

typedef struct {
    uint32_t width, height;
    uint8_t *pixels;
} Picture;

static int fail(const char *message) {
    fprintf(stderr, "transcode: %s\n", message);
    return 1;
}

// The next number of a PPM's head: white space and comments stand before it. 0 if there is none.
static uint32_t head_number(void) {
    int c = getchar();
    while (isspace(c) || c == '#') {
        if (c == '#') {
            while (c != '\n' && c != EOF) c = getchar();
        }
        c = getchar();
    }
    uint32_t number = 0;
    for (; isdigit(c) && number <= SIDE_MAX; c = getchar()) number = number * 10 + (uint32_t)(c - '0');
    return number;
}

static int read_picture(Picture *picture) {
    if (getchar() != 'P' || getchar() != '6') return fail("this is no binary PPM");
    picture->width = head_number();
    picture->height = head_number();
    uint32_t most = head_number();
    if (picture->width == 0 || picture->height == 0 || picture->width > SIDE_MAX || picture->height > SIDE_MAX) {
        return fail("sides are 1 to 8192");
    }
    if (most != 255) return fail("only 8 bits a channel are read");
    size_t bytes = (size_t)picture->width * picture->height * 3;
    picture->pixels = malloc(bytes);
    if (!picture->pixels) return fail("out of memory");
    return fread(picture->pixels, 1, bytes, stdin) == bytes ? 0 : fail("the picture is cut short");
}

// Each pixel of the smaller picture is the mean of those that it stands for.
static int shrink(Picture *picture, uint32_t width) {
    uint32_t height = (uint32_t)((uint64_t)picture->height * width / picture->width);
    if (height == 0) height = 1;
    uint8_t *pixels = malloc((size_t)width * height * 3);
    if (!pixels) return fail("out of memory");
    for (uint32_t y = 0; y < height; y++) {
        uint32_t top = (uint32_t)((uint64_t)y * picture->height / height);
        uint32_t bottom = (uint32_t)((uint64_t)(y + 1) * picture->height / height);
        for (uint32_t x = 0; x < width; x++) {
            uint32_t left = (uint32_t)((uint64_t)x * picture->width / width);
            uint32_t right = (uint32_t)((uint64_t)(x + 1) * picture->width / width);
            uint64_t sums[3] = {0}, count = 0;
            for (uint32_t row = top; row < bottom || row == top; row++) {
                for (uint32_t column = left; column < right || column == left; column++, count++) {
                    const uint8_t *pixel = picture->pixels + ((size_t)row * picture->width + column) * 3;
                    for (int i = 0; i < 3; i++) sums[i] += pixel[i];
                }
            }
            for (int i = 0; i < 3; i++) pixels[((size_t)y * width + x) * 3 + i] = (uint8_t)(sums[i] / count);
        }
    }
    free(picture->pixels);
    *picture = (Picture){width, height, pixels};
    return 0;
}

// The file's name without folders and its last ending.
static int output_path(const char *name, char *path, size_t size) {
    const char *slash = strrchr(name, '/');
    if (slash) name = slash + 1;
    const char *dot = strrchr(name, '.');
    size_t length = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    if (length == 0 || length > NAME_MAX_BYTES) return fail("NAME has 1 to 200 bytes");
    snprintf(path, size, "/out/%.*s.png", (int)length, name);
    return 0;
}

int main(int argc, char **argv) {
    uint32_t width = 0;
    if (argc == 3) width = (uint32_t)strtoul(argv[2], NULL, 10);
    if (argc < 2 || argc > 3 || (argc == 3 && (width == 0 || width > SIDE_MAX))) {
        fprintf(stderr, "usage: transcode NAME [WIDTH]\n");
        return 2;
    }
    char path[NAME_MAX_BYTES + 16];
    Picture picture = {0};
    if (output_path(argv[1], path, sizeof path) != 0 || read_picture(&picture) != 0) return 1;
    uint32_t from_width = picture.width, from_height = picture.height;
    if (width > 0 && width < picture.width && shrink(&picture, width) != 0) return 1;
    FILE *output = fopen(path, "wb");
    if (!output || !png_write(output, picture.pixels, picture.width, picture.height)) return fail("/out takes no file");
    fclose(output);
    printf("%s\t%ux%u\t%ux%u\n", path + 5, from_width, from_height, picture.width, picture.height);
    free(picture.pixels);
    return fflush(stdout) == 0 ? 0 : 1;
}
