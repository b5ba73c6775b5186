/*
 * fuzz: what the fuzz targets share: a promise that ends the run when it is broken, and the reading
 * of an input as choices.
 *
 * An input is read from the front; when it is used up every choice is 0. So each input means
 * something, a longer one means more, and cutting one short (libFuzzer's way to minimise) leaves
 * the start as it was.
 */
#ifndef PARLEY_FUZZ_H
#define PARLEY_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The promise under test. Holds in every build: it is no assert. */
#define PROMISE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

struct input {
    const uint8_t *at;
    size_t left;
};

static inline unsigned input_byte(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

/* One of 0 … count - 1. */
static inline unsigned input_choice(struct input *in, size_t count)
{
    return input_byte(in) % (unsigned)count;
}

static inline uint32_t input_u32(struct input *in)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 8 | input_byte(in);
    return value;
}

/* The text up to the next line break or NUL, which is taken too, or to the end: NUL-terminated, to
 * be freed. */
static inline char *input_line(struct input *in)
{
    size_t len = 0;
    while (len < in->left && in->at[len] != '\n' && in->at[len] != '\0')
        len++;
    char *line = malloc(len + 1);
    PROMISE(line != NULL);
    if (len > 0)
        memcpy(line, in->at, len);
    line[len] = '\0';
    size_t taken = len < in->left ? len + 1 : len;
    in->at += taken;
    in->left -= taken;
    return line;
}

/* libFuzzer's entry points. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
