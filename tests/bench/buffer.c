#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 4096

char *buffer_room(struct buffer *buffer, size_t len)
{
    size_t before = (size_t)(buffer->bytes - buffer->memory);
    if (buffer->memory && before + buffer->len + len <= buffer->size)
        return buffer->bytes + buffer->len;
    if (before > 0) {
        memmove(buffer->memory, buffer->bytes, buffer->len);
        buffer->bytes = buffer->memory;
    }
    if (buffer->len + len > buffer->size) {
        size_t size = 2 * (buffer->len + len);
        buffer->size = size < SIZE_MIN ? SIZE_MIN : size;
        buffer->memory = realloc(buffer->memory, buffer->size);
        if (!buffer->memory)
            abort();
        buffer->bytes = buffer->memory;
    }
    return buffer->bytes + buffer->len;
}

void buffer_added(struct buffer *buffer, size_t len)
{
    buffer->len += len;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    memcpy(buffer_room(buffer, len), bytes, len);
    buffer->len += len;
}

void buffer_add_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_add_u8(struct buffer *buffer, unsigned value)
{
    *buffer_room(buffer, 1) = (char)value;
    buffer->len++;
}

void buffer_add_u16(struct buffer *buffer, unsigned value)
{
    buffer_add_u8(buffer, value >> 8);
    buffer_add_u8(buffer, value & 0xff);
}

void buffer_take(struct buffer *buffer, size_t len)
{
    buffer->bytes += len;
    buffer->len -= len;
    if (buffer->len == 0)
        buffer_free(buffer);
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->memory);
    *buffer = (struct buffer){0};
}
