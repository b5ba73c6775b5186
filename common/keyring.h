/*
 * keyring: the inside of token.h's key ring, for token.c and keyring.c only.
 */
#ifndef PARLEY_KEYRING_H
#define PARLEY_KEYRING_H

#include "token.h"

struct key {
    char kid[ROOM_ID_MAX + 1]; /* of the ids' alphabet, so that it needs no escape in a header */
    unsigned char bytes[KEY_BYTES_MAX];
    size_t len;
};

struct keyring {
    unsigned count;
    struct key keys[KEYS_MAX]; /* the first signs */
};

/* The key called `kid`, or NULL. */
const struct key *keyring_find(const struct keyring *keyring, const char *kid);

#endif
