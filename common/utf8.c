#include "utf8.h"

/* RFC 3629, section 3: by its first byte, how long a sequence is, which bits of that byte count,
 * and the least code point. */
static const struct {
    unsigned char mask, lead, bits;
    unsigned char size;
    uint32_t least;
} forms[] = {
    {0x80, 0x00, 0x7f, 1, 0},
    {0xe0, 0xc0, 0x1f, 2, 0x80},
    {0xf0, 0xe0, 0x0f, 3, 0x800},
    {0xf8, 0xf0, 0x07, 4, 0x10000},
};

size_t utf8_read(const char *text, size_t len, uint32_t *out)
{
    if (len == 0)
        return 0;
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if ((bytes[0] & forms[i].mask) != forms[i].lead)
            continue;
        if (len < forms[i].size)
            return 0;
        uint32_t code = bytes[0] & forms[i].bits;
        for (size_t k = 1; k < forms[i].size; k++) {
            if ((bytes[k] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (bytes[k] & 0x3f);
        }
        if (code < forms[i].least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return 0;
        *out = code;
        return forms[i].size;
    }
    return 0;
}
