#include "check.h"

#include "httpd/pages.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char root[] = "/tmp/parley-pages-XXXXXX";
static char long_script[20000];

static void write_file(const char *name, const char *data, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return -1;
    for (size_t i = 0; i < sizeof long_script; i++)
        long_script[i] = "let answer = 42;\n"[i % 17];
    make_folder("js");
    make_folder("js/deep");
    make_folder(".git");
    write_file("index.html", "<!doctype html>", 15);
    write_file("js/app.js", long_script, sizeof long_script);
    write_file("js/deep/app-3f2a9c1d.js", long_script, sizeof long_script);
    write_file("icon.png", long_script, sizeof long_script);
    write_file("empty.css", "", 0);
    write_file("keys", "secret", 6);
    write_file("backup.html~", "old", 3);
    write_file("README.md", "text", 4);
    write_file(".hidden.html", "x", 1);
    write_file(".git/config.json", "{}", 2);
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *ftw)
{
    (void)about;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct pages *load(void)
{
    char why[256] = "";
    struct pages *pages = NULL;
    if (pages_load(root, &pages, why, sizeof why) != STATUS_OK)
        fail_msg("%s", why);
    return pages;
}

static void what_is_published(void **state)
{
    static const char *const no[] = {
        "/keys", "/backup.html~", "/README.md", "/.hidden.html", "/.git/config.json",
        "/js",   "/js/",          "/",          "index.html",    ""};
    struct pages *pages = load();
    (void)state;
    const struct page *page = pages_find(pages, "/index.html");
    assert_non_null(page);
    assert_string_equal(page->type, "text/html; charset=utf-8");
    assert_int_equal(page->plain.len, 15);
    assert_memory_equal(page->plain.data, "<!doctype html>", 15);
    assert_null(page->gzip.data); /* it would be larger */
    assert_non_null(pages_find(pages, "/js/app.js"));
    assert_non_null(pages_find(pages, "/js/deep/app-3f2a9c1d.js"));
    assert_int_equal(pages_find(pages, "/empty.css")->plain.len, 0);
    for (size_t i = 0; i < ROWS(no); i++) {
        if (pages_find(pages, no[i]))
            fail_msg("%s", no[i]);
    }
    pages_free(pages);
    pages_free(NULL);
}

static void compressed_forms(void **state)
{
    struct pages *pages = load();
    static char back[sizeof long_script + 1];
    z_stream stream = {0};
    (void)state;
    const struct page *page = pages_find(pages, "/js/app.js");
    assert_true(page->gzip.len < page->plain.len / 10);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = (unsigned char *)page->gzip.data;
    stream.avail_in = (unsigned)page->gzip.len;
    stream.next_out = (unsigned char *)back;
    stream.avail_out = sizeof back;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, sizeof long_script);
    assert_memory_equal(back, long_script, sizeof long_script);
    inflateEnd(&stream);
    assert_null(
        pages_find(pages, "/icon.png")->gzip.data); /* of a type that is compressed already */

    assert_ptr_equal(page_choose(page, true), &page->gzip);
    assert_ptr_equal(page_choose(page, false), &page->plain);
    page = pages_find(pages, "/index.html");
    assert_ptr_equal(page_choose(page, true), &page->plain);
    pages_free(pages);
}

static void tags(void **state)
{
    struct pages *pages = load();
    (void)state;
    const struct page *app = pages_find(pages, "/js/app.js");
    const struct page *same = pages_find(pages, "/js/deep/app-3f2a9c1d.js");
    const struct page *other = pages_find(pages, "/index.html");
    assert_int_equal(strlen(app->plain.etag), 34);
    assert_int_equal(app->plain.etag[0], '"');
    assert_int_equal(app->plain.etag[33], '"');
    assert_string_equal(app->plain.etag, same->plain.etag);
    assert_string_not_equal(app->plain.etag, other->plain.etag);
    assert_string_not_equal(app->plain.etag, app->gzip.etag);
    assert_memory_equal(app->plain.etag, app->gzip.etag, 33);
    assert_string_equal(app->gzip.etag + 33, "-gz\"");
    assert_false(app->immutable);
    assert_true(same->immutable);
    pages_free(pages);
}

static void names_with_a_hash(void **state)
{
    static const struct {
        const char *name;
        bool hashed;
    } rows[] = {
        {"/js/app-3f2a9c1d.js", true},   {"/js/app.3f2a9c1d.js", true},
        {"/js/chunk-7QX2LM4K.js", true}, {"/js/app-0123456789abcdef.css", true},
        {"/js/app.js", false},           {"/js/app-1.js", false},
        {"/js/app-deadbeef.js", false},  {"/js/3f2a9c1d.js", false},
        {"/js/app-3f2a9c1.js", false},   {"/js/parley-notification2.js", false},
        {"/js/app-3f2a9c1d", false},     {"/vendor/mqtt.esm.js", false},
        {"/js/app-3F2a9c1d.js", false},  {"3f2a9c1d.js", false},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (pages_name_is_hashed(rows[i].name) != rows[i].hashed)
            fail_msg("%s", rows[i].name);
    }
}

static void roots_that_are_none(void **state)
{
    struct pages *pages = NULL;
    char why[256] = "";
    char path[256];
    (void)state;
    assert_int_equal(pages_load("/nowhere/at/all", &pages, why, sizeof why), STATUS_INTERNAL);
    assert_non_null(strstr(why, "/nowhere/at/all"));
    snprintf(path, sizeof path, "%s/index.html", root);
    assert_int_equal(pages_load(path, &pages, why, sizeof why), STATUS_INTERNAL);
    snprintf(path, sizeof path, "%s/loop", root);
    assert_int_equal(symlink(".", path), 0);
    assert_int_equal(pages_load(root, &pages, why, sizeof why), STATUS_INTERNAL);
    assert_int_equal(unlink(path), 0);
    assert_null(pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_published),
        cmocka_unit_test(compressed_forms),
        cmocka_unit_test(tags),
        cmocka_unit_test(names_with_a_hash),
        cmocka_unit_test(roots_that_are_none),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
