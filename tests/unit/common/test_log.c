#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char last[2048];
static int lines;
static enum log_level last_level;

static void keep(enum log_level level, const char *line)
{
    snprintf(last, sizeof last, "%s", line);
    last_level = level;
    lines++;
    errno = 1;
}

/* What follows the time of the last line. */
static const char *rest(void)
{
    assert_true(strlen(last) > 21 && last[4] == '-' && last[10] == 'T' && last[19] == 'Z');
    return last + 21;
}

static void test_lines(void **state)
{
    (void)state;
    log_info("started");
    assert_string_equal(rest(), "info started");
    log_warn("lost", LOG_TEXT("broker", "main"), LOG_NUMBER("retry_ms", -250));
    assert_string_equal(rest(), "warn lost broker=main retry_ms=-250");
    assert_int_equal(last_level, LOG_LEVEL_WARN);
    log_error("odd", LOG_TEXT("none", NULL), LOG_TEXT("empty", ""));
    assert_string_equal(rest(), "error odd none=\"\" empty=\"\"");
}

/* No text of a peer's starts a line or forges a field. */
static void test_injection(void **state)
{
    static const char *const rows[][2] = {
        {"a b", "\"a b\""},
        {"a=b", "\"a=b\""},
        {"say \"x\"", "\"say \\\"x\\\"\""},
        {"\\", "\"\\\\\""},
        {"a\nerror forged", "\"a\\x0aerror forged\""},
        {"\r\x1b[2J", "\"\\x0d\\x1b[2J\""},
        {"\xc3\xa9", "\"\\xc3\\xa9\""},
        {"\x7f", "\"\\x7f\""},
        {"plain-text_1.2/3:[x]", "plain-text_1.2/3:[x]"},
    };
    char wanted[128];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        log_info("e", LOG_TEXT("name", rows[i][0]));
        snprintf(wanted, sizeof wanted, "info e name=%s", rows[i][1]);
        assert_string_equal(rest(), wanted);
    }
}

static void test_long_lines_are_cut_between_characters(void **state)
{
    char text[1100], wanted[1200];
    (void)state;
    for (size_t lead = 0; lead < 5; lead++) {
        memset(text, 'a', lead);
        memset(text + lead, '\n', 1024 - lead);
        text[1024] = '\0';
        log_info("e", LOG_TEXT("k", text), LOG_TEXT("more", "x"));
        size_t len = strlen(last);
        assert_in_range(len, 1021, 1024);
        assert_string_equal(last + len - 4, "\\x0a");
    }
    memset(text, 'a', 1050);
    text[1050] = '\0';
    log_info("e", LOG_TEXT("k", text));
    assert_int_equal(strlen(last), 1024);
    snprintf(wanted, sizeof wanted, "info e k=%s", text);
    assert_memory_equal(rest(), wanted, 1024 - 21);
}

static void test_levels(void **state)
{
    (void)state;
    assert_int_equal(log_level_from_name("error"), LOG_LEVEL_ERROR);
    assert_int_equal(log_level_from_name("debug"), LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_from_name("Info"), -1);
    assert_int_equal(log_level_from_name(""), -1);
    int before = lines;
    log_debug("hidden");
    assert_int_equal(lines, before);
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("shown");
    log_set_level(LOG_LEVEL_ERROR);
    log_warn("hidden");
    assert_int_equal(lines, before + 1);
    log_set_level(LOG_LEVEL_INFO);
}

static void test_errno_is_preserved(void **state)
{
    (void)state;
    errno = ENOENT;
    log_info("e");
    assert_int_equal(errno, ENOENT);
}

static void test_standard_error_gets_whole_lines(void **state)
{
    char text[256];
    int ends[2], saved = dup(STDERR_FILENO);
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    log_set_sink(NULL);
    log_info("one", LOG_NUMBER("n", 1));
    log_set_sink(keep);
    dup2(saved, STDERR_FILENO);
    ssize_t len = read(ends[0], text, sizeof text - 1);
    assert_true(len > 21);
    text[len] = '\0';
    assert_string_equal(text + 21, "info one n=1\n");
    close(ends[0]);
    close(ends[1]);
    close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_injection),
        cmocka_unit_test(test_long_lines_are_cut_between_characters),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_errno_is_preserved),
        cmocka_unit_test(test_standard_error_gets_whole_lines),
    };
    log_set_sink(keep);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
