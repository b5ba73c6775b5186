#include "websocket.h"

#include <stdio.h>
#include <string.h>

#define MASKED        0x80
#define FIN           0x80
#define LENGTH_16     126
#define LENGTH_64     127
#define HEADER_MAX    14
#define HELLO_MAX     2048
#define ANSWER_STATUS "HTTP/1.1 101"

void ws_hello(struct conn *conn, const char *path, const char *protocol)
{
    char text[HELLO_MAX];
    /* The key is for the server to hash; any will do. */
    int len = snprintf(
        text, sizeof text,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
        path, protocol ? "Sec-WebSocket-Protocol: " : "", protocol ? protocol : "",
        protocol ? "\r\n" : "");
    conn_write(conn, text, (size_t)len);
}

int ws_answer(struct conn *conn)
{
    const char *end = memmem(conn->in.bytes, conn->in.len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (strncmp(conn->in.bytes, ANSWER_STATUS, strlen(ANSWER_STATUS)) != 0)
        return -1;
    buffer_take(&conn->in, (size_t)(end + 4 - conn->in.bytes));
    return 1;
}

static size_t write_header(unsigned char out[static HEADER_MAX], enum ws_opcode opcode, size_t len)
{
    size_t used = 0;
    out[used++] = (unsigned char)(FIN | opcode);
    if (len < LENGTH_16) {
        out[used++] = (unsigned char)(MASKED | len);
    } else if (len <= UINT16_MAX) {
        out[used++] = MASKED | LENGTH_16;
        out[used++] = (unsigned char)(len >> 8);
        out[used++] = (unsigned char)len;
    } else {
        out[used++] = MASKED | LENGTH_64;
        for (int shift = 56; shift >= 0; shift -= 8)
            out[used++] = (unsigned char)((uint64_t)len >> shift);
    }
    return used;
}

void ws_write(struct conn *conn, enum ws_opcode opcode, const void *bytes, size_t len)
{
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    struct buffer frame = {0};
    unsigned char *header = (unsigned char *)buffer_room(&frame, HEADER_MAX + len);
    size_t used = write_header(header, opcode, len);
    memcpy(header + used, mask, sizeof mask);
    used += sizeof mask;
    for (size_t i = 0; i < len; i++)
        header[used + i] = ((const unsigned char *)bytes)[i] ^ mask[i % sizeof mask];
    conn_write(conn, header, used + len);
    buffer_free(&frame);
}

bool ws_read(const struct conn *conn, struct ws_frame *out)
{
    const unsigned char *bytes = (const unsigned char *)conn->in.bytes;
    size_t header = 2;
    if (conn->in.len < header)
        return false;
    size_t len = bytes[1] & ~MASKED;
    if (len >= LENGTH_16) {
        size_t wide = len == LENGTH_16 ? 2 : 8;
        if (conn->in.len < header + wide)
            return false;
        len = 0;
        for (size_t i = 0; i < wide; i++)
            len = len << 8 | bytes[header + i];
        header += wide;
    }
    if (len > conn->in.len - header)
        return false;
    *out = (struct ws_frame){.opcode = bytes[0] & 0x0f,
                             .bytes = conn->in.bytes + header,
                             .len = len,
                             .whole = header + len};
    return true;
}
