// Counts words, as a map step and a reduce step.
//
//   wordcount map      text on standard input → "word<tab>count" lines, ordered by word
//   wordcount reduce   such lines, of many map steps → the same, most frequent words first
//
// A word is a run of letters of any script, with apostrophes inside; it is counted in lower case.
// Bytes that are not UTF-8 separate words, as spaces do.
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#define WORD_BYTES_MAX 256 // longer runs of letters are cut into several words
#define END_OF_TEXT UINT32_MAX
#define NOT_A_CHARACTER (UINT32_MAX - 1)

// ---- a table of words, by open addressing ----

typedef struct {
    char *word;
    uint64_t count;
} Entry;

typedef struct {
    Entry *slots;
    size_t capacity; // a power of two
    size_t used;
} Table;

static void *allocate_zeroed(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) {
        fprintf(stderr, "wordcount: out of memory\n");
        exit(1);
    }
    return memory;
}

static uint64_t hash_word(const char *word) { // FNV-1a
    uint64_t hash = 14695981039346656037u;
    for (; *word; word++) hash = (hash ^ (uint8_t)*word) * 1099511628211u;
    return hash;
}

static Entry *find_slot(Entry *slots, size_t capacity, const char *word) {
    size_t at = hash_word(word) & (capacity - 1);
    while (slots[at].word && strcmp(slots[at].word, word) != 0) at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static void grow(Table *table) {
    size_t capacity = table->capacity ? table->capacity * 2 : 4096;
    Entry *slots = allocate_zeroed(capacity, sizeof(Entry));
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].word) *find_slot(slots, capacity, table->slots[i].word) = table->slots[i];
    }
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
}

static void add(Table *table, const char *word, uint64_t count) {
    if (table->used * 2 >= table->capacity) grow(table);
    Entry *entry = find_slot(table->slots, table->capacity, word);
    if (!entry->word) {
        entry->word = allocate_zeroed(strlen(word) + 1, 1);
        strcpy(entry->word, word);
        table->used++;
    }
    entry->count += count;
}

static int by_word(const void *left, const void *right) {
    return strcmp(((const Entry *)left)->word, ((const Entry *)right)->word);
}

static int by_count(const void *left, const void *right) {
    uint64_t a = ((const Entry *)left)->count, b = ((const Entry *)right)->count;
    return a != b ? (a < b ? 1 : -1) : by_word(left, right);
}

static int print_sorted(Table *table, int (*order)(const void *, const void *)) {
    size_t filled = 0;
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].word) table->slots[filled++] = table->slots[i];
    }
    qsort(table->slots, filled, sizeof(Entry), order);
    for (size_t i = 0; i < filled; i++) printf("%s\t%" PRIu64 "\n", table->slots[i].word, table->slots[i].count);
    return fflush(stdout) == 0 ? 0 : 1;
}

// ---- UTF-8 ----

// The next character. A byte that fits nowhere is NOT_A_CHARACTER; what follows it is read anew.
static uint32_t next_character(FILE *input) {
    int lead = getc(input);
    if (lead == EOF) return END_OF_TEXT;
    if (lead < 0x80) return (uint32_t)lead;
    int more = lead >= 0xc2 && lead <= 0xdf ? 1 : (lead & 0xf0) == 0xe0 ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
    if (more == 0) return NOT_A_CHARACTER;
    uint32_t code = (uint32_t)lead & (0x3f >> more);
    for (int i = 0; i < more; i++) {
        int byte = getc(input);
        if ((byte & 0xc0) != 0x80 || byte == EOF) {
            if (byte != EOF) ungetc(byte, input);
            return NOT_A_CHARACTER;
        }
        code = code << 6 | ((uint32_t)byte & 0x3f);
    }
    bool shortest = more == 1 || (more == 2 ? code >= 0x800 : code >= 0x10000);
    bool scalar = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return shortest && scalar ? code : NOT_A_CHARACTER;
}

static size_t encode(uint32_t code, char *to) {
    if (code < 0x80) return to[0] = (char)code, 1;
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    to[0] = (char)(leads[more] | code >> 6 * more);
    for (size_t i = 1; i <= more; i++) to[i] = (char)(0x80 | (code >> 6 * (more - i) & 0x3f));
    return more + 1;
}

// ---- the two steps ----

static int map(void) {
    Table table = {0};
    char word[WORD_BYTES_MAX + 8];
    size_t length = 0;
    for (;;) {
        uint32_t code = next_character(stdin);
        if (code == 0x2019) code = '\''; // the typographic apostrophe
        bool letter = code < NOT_A_CHARACTER && iswalpha((wint_t)code);
        if (letter || (code == '\'' && length > 0)) {
            length += encode(letter ? (uint32_t)towlower((wint_t)code) : code, word + length);
            if (length < WORD_BYTES_MAX) continue;
        }
        while (length > 0 && word[length - 1] == '\'') length--; // a closing quote, not an apostrophe
        word[length] = '\0';
        if (length > 0) add(&table, word, 1);
        length = 0;
        if (code == END_OF_TEXT) break;
    }
    return ferror(stdin) ? 1 : print_sorted(&table, by_word);
}

static int reduce(void) {
    Table table = {0};
    char line[WORD_BYTES_MAX + 64];
    while (fgets(line, sizeof line, stdin)) {
        char *tab = strchr(line, '\t');
        char *end = NULL;
        uint64_t count = tab ? strtoull(tab + 1, &end, 10) : 0;
        if (!tab || tab == line || end == tab + 1 || *end != '\n') {
            fprintf(stderr, "wordcount: a line of standard input is not \"word<tab>count\"\n");
            return 1;
        }
        *tab = '\0';
        add(&table, line, count);
    }
    return ferror(stdin) ? 1 : print_sorted(&table, by_count);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "map") == 0) return map();
    if (argc == 2 && strcmp(argv[1], "reduce") == 0) return reduce();
    fprintf(stderr, "usage: wordcount map | wordcount reduce\n");
    return 2;
}
