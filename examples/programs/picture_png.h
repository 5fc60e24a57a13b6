// Writes an 8-bit RGB picture as PNG (W3C PNG, third edition): rows filtered by Paeth or Up,
// whichever leaves less, then deflate (RFC 1951) with the fixed Huffman codes and matches found by a
// hash of three bytes.
#ifndef PICTURE_PNG_H
#define PICTURE_PNG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint8_t *bytes;
    size_t length, capacity;
    uint32_t bits;      // written from the lowest bit on
    unsigned bit_count; // below 8 between calls
    bool failed;
} PngBuffer;

static void png_byte(PngBuffer *to, uint8_t byte) {
    if (to->length == to->capacity) {
        size_t capacity = to->capacity ? to->capacity * 2 : 1 << 16;
        uint8_t *bytes = realloc(to->bytes, capacity);
        if (!bytes) {
            to->failed = true;
            return;
        }
        to->bytes = bytes;
        to->capacity = capacity;
    }
    to->bytes[to->length++] = byte;
}

static void png_word(PngBuffer *to, uint32_t word) {
    for (int shift = 24; shift >= 0; shift -= 8) png_byte(to, (uint8_t)(word >> shift));
}

static void png_bits(PngBuffer *to, uint32_t value, unsigned count) {
    to->bits |= value << to->bit_count;
    to->bit_count += count;
    for (; to->bit_count >= 8; to->bit_count -= 8, to->bits >>= 8) png_byte(to, (uint8_t)to->bits);
}

// Huffman codes go out from their highest bit on.
static void png_code(PngBuffer *to, uint32_t code, unsigned count) {
    uint32_t reversed = 0;
    for (unsigned i = 0; i < count; i++) reversed |= (code >> i & 1) << (count - 1 - i);
    png_bits(to, reversed, count);
}

static void png_symbol(PngBuffer *to, unsigned symbol) { // RFC 1951, 3.2.6
    if (symbol < 144) png_code(to, 0x30 + symbol, 8);
    else if (symbol < 256) png_code(to, 0x190 + symbol - 144, 9);
    else if (symbol < 280) png_code(to, symbol - 256, 7);
    else png_code(to, 0xc0 + symbol - 280, 8);
}

static void png_match(PngBuffer *to, unsigned length, unsigned distance) { // RFC 1951, 3.2.5
    unsigned symbol = 257, extra = 0, base = 3;
    if (length == 258) {
        symbol = 285;
    } else {
        while (base + (1u << extra) <= length) {
            base += 1u << extra;
            symbol++;
            if (symbol >= 265 && (symbol - 265) % 4 == 0) extra++;
        }
    }
    png_symbol(to, symbol);
    if (symbol < 285) png_bits(to, length - base, extra);

    unsigned code = 0;
    for (base = 1, extra = 0; base + (1u << extra) <= distance;) {
        base += 1u << extra;
        code++;
        if (code >= 4 && code % 2 == 0) extra++;
    }
    png_code(to, code, 5);
    png_bits(to, distance - base, extra);
}

#define PNG_HASH_BITS 15
#define PNG_WINDOW 32768
#define PNG_MATCH_MAX 258

static void png_deflate(PngBuffer *to, const uint8_t *from, size_t length) {
    size_t *last_seen = calloc((size_t)1 << PNG_HASH_BITS, sizeof(size_t)); // position + 1
    if (!last_seen) {
        to->failed = true;
        return;
    }
    png_bits(to, 1, 1); // the last block
    png_bits(to, 1, 2); // with fixed codes
    for (size_t at = 0; at < length;) {
        unsigned match = 0;
        size_t distance = 0;
        if (at + 3 <= length) {
            uint32_t three = from[at] | (uint32_t)from[at + 1] << 8 | (uint32_t)from[at + 2] << 16;
            size_t *slot = &last_seen[three * 2654435761u >> (32 - PNG_HASH_BITS)];
            distance = *slot ? at + 1 - *slot : 0;
            if (distance > 0 && distance <= PNG_WINDOW) {
                while (match < PNG_MATCH_MAX && at + match < length && from[at + match] == from[at + match - distance]) match++;
            }
            *slot = at + 1;
        }
        if (match >= 4) {
            png_match(to, match, (unsigned)distance);
            at += match;
        } else {
            png_symbol(to, from[at++]);
        }
    }
    png_symbol(to, 256);
    if (to->bit_count > 0) png_bits(to, 0, 8 - to->bit_count);
    free(last_seen);
}

static uint32_t png_crc(const uint8_t *bytes, size_t length) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static uint32_t png_adler(const uint8_t *bytes, size_t length) {
    uint32_t low = 1, high = 0;
    for (size_t i = 0; i < length; i++) {
        low = (low + bytes[i]) % 65521;
        high = (high + low) % 65521;
    }
    return high << 16 | low;
}

static uint8_t png_paeth(int left, int up, int corner) {
    int guess = left + up - corner;
    int to_left = abs(guess - left), to_up = abs(guess - up), to_corner = abs(guess - corner);
    return (uint8_t)(to_left <= to_up && to_left <= to_corner ? left : to_up <= to_corner ? up : corner);
}

// Writes the filter's number and the filtered row to `to`; returns the sum of the differences.
static uint64_t png_filter_row(uint8_t filter, const uint8_t *row, const uint8_t *above, size_t row_bytes, uint8_t *to) {
    uint64_t cost = 0;
    *to++ = filter;
    for (size_t i = 0; i < row_bytes; i++) {
        uint8_t left = i >= 3 ? row[i - 3] : 0, up = above ? above[i] : 0, corner = above && i >= 3 ? above[i - 3] : 0;
        uint8_t difference = row[i] - (filter == 2 ? up : png_paeth(left, up, corner));
        cost += difference < 128 ? difference : 256 - difference;
        to[i] = difference;
    }
    return cost;
}

static uint8_t *png_filter(const uint8_t *pixels, uint32_t width, uint32_t height) {
    size_t row_bytes = (size_t)width * 3, stride = row_bytes + 1;
    uint8_t *filtered = malloc(stride * height);
    if (!filtered) return NULL;
    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *row = pixels + y * row_bytes, *above = y > 0 ? row - row_bytes : NULL;
        uint8_t *to = filtered + y * stride;
        uint64_t up_cost = png_filter_row(2, row, above, row_bytes, to);
        if (png_filter_row(4, row, above, row_bytes, to) > up_cost) png_filter_row(2, row, above, row_bytes, to);
    }
    return filtered;
}

// Starts a chunk with room for its length; `png_end_chunk` fills it in and adds the checksum.
static size_t png_start_chunk(PngBuffer *to, const char *type) {
    size_t start = to->length;
    png_word(to, 0);
    for (int i = 0; i < 4; i++) png_byte(to, (uint8_t)type[i]);
    return start;
}

static void png_end_chunk(PngBuffer *to, size_t start) {
    if (to->failed) return;
    uint32_t length = (uint32_t)(to->length - start - 8);
    for (int i = 0; i < 4; i++) to->bytes[start + i] = (uint8_t)(length >> (24 - 8 * i));
    png_word(to, png_crc(to->bytes + start + 4, length + 4));
}

static bool png_write(FILE *output, const uint8_t *pixels, uint32_t width, uint32_t height) {
    uint8_t *filtered = png_filter(pixels, width, height);
    if (!filtered) return false;
    size_t filtered_length = ((size_t)width * 3 + 1) * height;
    PngBuffer to = {0};
    for (int i = 0; i < 8; i++) png_byte(&to, (uint8_t) "\x89PNG\r\n\x1a\n"[i]);

    size_t chunk = png_start_chunk(&to, "IHDR");
    png_word(&to, width);
    png_word(&to, height);
    static const uint8_t rgb_8_bit[] = {8, 2, 0, 0, 0};
    for (int i = 0; i < 5; i++) png_byte(&to, rgb_8_bit[i]);
    png_end_chunk(&to, chunk);

    chunk = png_start_chunk(&to, "IDAT");
    png_byte(&to, 0x78);
    png_byte(&to, 0x01);
    png_deflate(&to, filtered, filtered_length);
    png_word(&to, png_adler(filtered, filtered_length));
    png_end_chunk(&to, chunk);

    png_end_chunk(&to, png_start_chunk(&to, "IEND"));
    free(filtered);
    bool written = !to.failed && fwrite(to.bytes, 1, to.length, output) == to.length && fflush(output) == 0;
    free(to.bytes);
    return written;
}

#endif
