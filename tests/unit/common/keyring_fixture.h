/*
 * keyring_fixture: key files of a test's own, and the two keys that the tests sign with.
 */
#ifndef PARLEY_TESTS_KEYRING_FIXTURE_H
#define PARLEY_TESTS_KEYRING_FIXTURE_H

#include "common/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* 32 bytes of 'k', and 32 of 'j'. */
#define KEY_1 "one a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s\n"
#define KEY_2 "two ampqampqampqampqampqampqampqampqampqampqamo\n"

static char key_path[64];

static inline struct keyring *ring_of(const char *text, mode_t mode, char why[static 256])
{
    struct keyring *keyring = NULL;
    FILE *file = fopen(key_path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(key_path, mode), 0);
    why[0] = '\0';
    enum status status = keyring_load(key_path, &keyring, why, 256);
    assert_int_equal(status == STATUS_OK, keyring != NULL);
    assert_int_equal(status == STATUS_OK, why[0] == '\0');
    return keyring;
}

static inline struct keyring *ring(const char *text)
{
    char why[256];
    struct keyring *keyring = ring_of(text, 0600, why);
    assert_non_null(keyring);
    return keyring;
}

static inline int set_up(void **state)
{
    (void)state;
    snprintf(key_path, sizeof key_path, "/tmp/parley-test-keys-XXXXXX");
    int file = mkstemp(key_path);
    return file < 0 ? -1 : close(file);
}

static inline int tear_down(void **state)
{
    (void)state;
    return unlink(key_path);
}

#endif
