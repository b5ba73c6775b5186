#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/file_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/parley-file-text-XXXXXX";
static char why[256];

static enum status read_file(enum file_text_kind kind, size_t max, struct file_text *out)
{
    return file_text_read(path, kind, max, out, why, sizeof why);
}

static void sizes(void **state)
{
    struct file_text text;
    (void)state;
    assert_int_equal(read_file(FILE_TEXT_SECRET, 6, &text), STATUS_OK);
    assert_int_equal(text.len, 6);
    assert_memory_equal(text.bytes, "a\0bcd\n", 7);
    file_text_clear(&text);
    assert_null(text.bytes);
    assert_int_equal(read_file(FILE_TEXT_SECRET, 5, &text), STATUS_INTERNAL);
    assert_null(text.bytes);
    assert_non_null(strstr(why, path));
    file_text_clear(&text);
}

static void whose_it_is(void **state)
{
    static const struct {
        mode_t mode;
        enum status secret;
    } rows[] = {{0600, STATUS_OK},       {0640, STATUS_OK},       {0400, STATUS_OK},
                {0660, STATUS_INTERNAL}, {0604, STATUS_INTERNAL}, {0602, STATUS_INTERNAL}};
    struct file_text text;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(chmod(path, rows[i].mode), 0);
        assert_int_equal(read_file(FILE_TEXT_SECRET, 64, &text), rows[i].secret);
        file_text_clear(&text);
        assert_int_equal(read_file(FILE_TEXT_PUBLIC, 64, &text), STATUS_OK);
        file_text_clear(&text);
    }
    assert_int_equal(chmod(path, 0600), 0);
}

static void what_is_no_file(void **state)
{
    static const char *const paths[] = {"/nowhere/at/all", "/tmp", "/dev/zero"};
    struct file_text text;
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(file_text_read(paths[i], FILE_TEXT_PUBLIC, 64, &text, why, sizeof why),
                         STATUS_INTERNAL);
        assert_non_null(strstr(why, paths[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(whose_it_is),
        cmocka_unit_test(what_is_no_file),
    };
    int file = mkstemp(path);
    if (file < 0 || write(file, "a\0bcd\n", 6) != 6)
        return 1;
    close(file);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
