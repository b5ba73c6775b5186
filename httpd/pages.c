#include "pages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct pages {
    size_t count;
    struct page files[PAGES_FILES_MAX]; /* sorted by path */
};

static const struct {
    const char *extension;
    const char *type;
    bool compressible;
} types[] = {
    {"html", "text/html; charset=utf-8", true},
    {"css", "text/css; charset=utf-8", true},
    {"js", "text/javascript; charset=utf-8", true},
    {"mjs", "text/javascript; charset=utf-8", true},
    {"json", "application/json", true},
    {"map", "application/json", true},
    {"webmanifest", "application/manifest+json", true},
    {"svg", "image/svg+xml", true},
    {"txt", "text/plain; charset=utf-8", true},
    {"wasm", "application/wasm", true},
    {"ico", "image/x-icon", true},
    {"png", "image/png", false},
    {"jpg", "image/jpeg", false},
    {"webp", "image/webp", false},
    {"woff2", "font/woff2", false},
    {"mp3", "audio/mpeg", false},
    {"ogg", "audio/ogg", false},
    {"wav", "audio/wav", true},
};

/* The row of `types` for a file name, or -1. */
static int type_row(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(dot + 1, types[i].extension) == 0)
            return (int)i;
    }
    return -1;
}

const char *pages_type_of(const char *name)
{
    int row = type_row(name);
    return row < 0 ? NULL : types[row].type;
}

bool pages_name_is_hashed(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *start = dot;
    if (!dot)
        return false;
    while (start > name && start[-1] != '-' && start[-1] != '.' && start[-1] != '/')
        start--;
    size_t len = (size_t)(dot - start);
    if (len < 8 || start == name || start[-1] == '/' || strcspn(start, "0123456789") >= len)
        return false;
    return strspn(start, "0123456789abcdef") >= len ||
           strspn(start, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") >= len;
}

const struct page_form *page_choose(const struct page *page, bool accepts_gzip)
{
    return accepts_gzip && page->gzip.data ? &page->gzip : &page->plain;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct page *)a)->path, ((const struct page *)b)->path);
}

const struct page *pages_find(const struct pages *pages, const char *path)
{
    struct page key = {.path = path};
    return bsearch(&key, pages->files, pages->count, sizeof key, compare);
}

/* The first 128 bits of SHA-256 are the tag: nobody finds two files with the same. */
static void make_etag(const struct page_form *plain, const char *suffix, struct page_form *form)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char *out = form->etag;
    EVP_Digest(plain->data, plain->len, digest, NULL, EVP_sha256(), NULL);
    *out++ = '"';
    for (int i = 0; i < 16; i++, out += 2)
        snprintf(out, 3, "%02x", digest[i]);
    snprintf(out, sizeof form->etag - 33, "%s\"", suffix);
}

/* Makes the gzip form of `page`, unless it would not be smaller. */
static enum status compress_page(struct page *page)
{
    z_stream stream = {0};
    enum status status = STATUS_INTERNAL;
    /* 15 bits of window, and 16 for the gzip wrapper (zlib.h, deflateInit2). */
    if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return STATUS_INTERNAL;
    size_t bound = deflateBound(&stream, page->plain.len);
    unsigned char *data = malloc(bound);
    if (!data)
        goto done;
    stream.next_in = (unsigned char *)page->plain.data;
    stream.avail_in = (unsigned)page->plain.len;
    stream.next_out = data;
    stream.avail_out = (unsigned)bound;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        goto done;
    status = STATUS_OK;
    if (stream.total_out < page->plain.len) {
        page->gzip.data = (const char *)data;
        page->gzip.len = stream.total_out;
        data = NULL;
        make_etag(&page->plain, "-gz", &page->gzip);
    }
done:
    free(data);
    deflateEnd(&stream);
    return status;
}

/* Reads the `len` bytes of an open file. NULL when that fails. */
static char *read_all(int fd, size_t len)
{
    char *data = malloc(len + 1);
    size_t have = 0;
    while (data && have < len) {
        ssize_t got = read(fd, data + have, len - have);
        if (got <= 0) {
            free(data);
            return NULL;
        }
        have += (size_t)got;
    }
    return data;
}

static void free_page(struct page *page)
{
    free((char *)page->path);
    free((char *)page->plain.data);
    free((char *)page->gzip.data);
}

struct loading {
    struct pages *pages;
    size_t root_len;
    char *why;
    size_t why_size;
};

static enum status fail(const struct loading *loading, const char *path, const char *what)
{
    snprintf(loading->why, loading->why_size, "%s: %s", path, what);
    return STATUS_INTERNAL;
}

static enum status load_file(struct loading *loading, const char *path, const struct stat *about)
{
    int row = type_row(path);
    if (row < 0)
        return STATUS_OK;
    if (loading->pages->count == PAGES_FILES_MAX || about->st_size > PAGES_FILE_BYTES)
        return fail(loading, path, "the web root holds more than httpd keeps in memory");

    struct page page = {.type = types[row].type, .immutable = pages_name_is_hashed(path)};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    page.path = strdup(path + loading->root_len);
    page.plain.len = (size_t)about->st_size;
    page.plain.data = fd >= 0 ? read_all(fd, page.plain.len) : NULL;
    if (fd >= 0)
        close(fd);
    if (!page.path || !page.plain.data ||
        (types[row].compressible && compress_page(&page) != STATUS_OK)) {
        free_page(&page);
        return fail(loading, path, errno ? strerror(errno) : "cannot be read");
    }
    make_etag(&page.plain, "", &page.plain);
    loading->pages->files[loading->pages->count++] = page;
    return STATUS_OK;
}

static enum status load_folder(struct loading *loading, const char *folder, int depth)
{
    enum status status = STATUS_OK;
    const struct dirent *entry;
    DIR *dir = depth < PAGES_DEPTH_MAX ? opendir(folder) : NULL;
    if (!dir)
        return fail(loading, folder, depth < PAGES_DEPTH_MAX ? strerror(errno) : "is too deep");
    while (status == STATUS_OK && (entry = readdir(dir))) {
        char path[PATH_MAX];
        struct stat about;
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path ||
            stat(path, &about) < 0)
            status = fail(loading, folder, "holds what cannot be read");
        else if (S_ISDIR(about.st_mode))
            status = load_folder(loading, path, depth + 1);
        else if (S_ISREG(about.st_mode))
            status = load_file(loading, path, &about);
    }
    closedir(dir);
    return status;
}

enum status pages_load(const char *root, struct pages **out, char *why, size_t why_size)
{
    struct loading loading = {calloc(1, sizeof(struct pages)), strlen(root), why, why_size};
    if (!loading.pages)
        return fail(&loading, root, strerror(ENOMEM));
    enum status status = load_folder(&loading, root, 0);
    if (status != STATUS_OK) {
        pages_free(loading.pages);
        return status;
    }
    qsort(loading.pages->files, loading.pages->count, sizeof(struct page), compare);
    *out = loading.pages;
    return STATUS_OK;
}

void pages_free(struct pages *pages)
{
    if (!pages)
        return;
    for (size_t i = 0; i < pages->count; i++)
        free_page(&pages->files[i]);
    free(pages);
}
