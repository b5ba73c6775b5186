/*
 * buffer: bytes that are added at the end and taken from the front.
 */
#ifndef PARLEY_BENCH_BUFFER_H
#define PARLEY_BENCH_BUFFER_H

#include <stddef.h>
#include <stdint.h>

/* All zero is an empty one. */
struct buffer {
    char *bytes; /* the first that is still there */
    size_t len;
    char *memory; /* owned */
    size_t size;
};

/* Room for `len` more bytes behind the last, to be filled by the caller and counted by
 * buffer_added. Ends the process when there is no memory. */
char *buffer_room(struct buffer *buffer, size_t len);
void buffer_added(struct buffer *buffer, size_t len);

void buffer_add(struct buffer *buffer, const void *bytes, size_t len);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_u8(struct buffer *buffer, unsigned value);
void buffer_add_u16(struct buffer *buffer, unsigned value); /* big-endian */

/* Takes `len` bytes from the front. An empty buffer keeps no memory: thousands of idle ones cost
 * nothing. */
void buffer_take(struct buffer *buffer, size_t len);

void buffer_free(struct buffer *buffer);

#endif
