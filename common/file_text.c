#include "file_text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(const char *path, enum file_text_kind kind, char *why, size_t why_size)
{
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO does not hold us up */
    if (file < 0 || fstat(file, &about) != 0)
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(about.st_mode))
        snprintf(why, why_size, "%s: is no ordinary file", path);
    else if (kind == FILE_TEXT_SECRET && about.st_mode & (S_IRWXO | S_IWGRP))
        snprintf(why, why_size, "%s: others may read or write it: chmod 600", path);
    else
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

/* Reads up to `max` bytes and ends them with a NUL. False when there are more or reading fails. */
static bool read_all(int file, size_t max, struct file_text *out)
{
    while (out->len <= max) {
        ssize_t got = read(file, out->bytes + out->len, max + 1 - out->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0) {
            out->bytes[out->len] = '\0';
            return true;
        }
        out->len += (size_t)got;
    }
    errno = EFBIG;
    return false;
}

enum status file_text_read(const char *path, enum file_text_kind kind, size_t max,
                           struct file_text *out, char *why, size_t why_size)
{
    enum status status = STATUS_INTERNAL;
    *out = (struct file_text){0};
    int file = open_file(path, kind, why, why_size);
    if (file < 0)
        return status;
    out->bytes = malloc(max + 1);
    if (out->bytes && read_all(file, max, out)) {
        status = STATUS_OK;
    } else {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        file_text_clear(out);
    }
    close(file);
    return status;
}

void file_text_clear(struct file_text *text)
{
    if (text->bytes)
        OPENSSL_cleanse(text->bytes, text->len);
    free(text->bytes);
    *text = (struct file_text){0};
}
