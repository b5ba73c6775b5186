/*
 * access_probe: access_decide for a test in another language. Each line of standard input is a case,
 * `role id room op retain name members…`, tab-separated, the name in percent-encoding, the members as room/peer; the
 * answer is a line `allowed`, `denied` or `not-a-member`.
 */
#include "common/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 16, FIXED = 6 };

struct seating {
    char **seats;
    int count;
};

static bool is_member(void *ctx, const char *room, const char *peer_id)
{
    const struct seating *seating = ctx;
    char seat[ROOM_ID_MAX + 1 + PEER_ID_MAX + 1];

    snprintf(seat, sizeof seat, "%s/%s", room, peer_id);
    for (int i = 0; i < seating->count; i++)
        if (strcmp(seating->seats[i], seat) == 0)
            return true;
    return false;
}

static void percent_decode(char *text)
{
    char *out = text;

    for (; *text; text++) {
        unsigned byte;
        if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1) {
            *out++ = (char)byte;
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

static enum access_op op_of(const char *name)
{
    return strcmp(name, "subscribe") == 0 ? ACCESS_SUBSCRIBE
           : strcmp(name, "read") == 0    ? ACCESS_READ
                                          : ACCESS_WRITE;
}

int main(void)
{
    static const char *const answers[] = {
        [ACCESS_DENIED] = "denied",
        [ACCESS_ALLOWED] = "allowed",
        [ACCESS_NOT_A_MEMBER] = "not-a-member",
    };
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stdin) > 0) {
        char *fields[FIELDS_MAX] = {0}, *rest = line;
        int count = 0;
        line[strcspn(line, "\n")] = '\0';
        while (count < FIELDS_MAX && (fields[count] = strsep(&rest, "\t")) != NULL)
            count++;
        if (count < FIXED) {
            fprintf(stderr, "access_probe: a line of %d fields\n", count);
            return EXIT_FAILURE;
        }
        struct access_who who = {role_from_name(fields[0]), fields[1], fields[2]};
        struct seating seating = {fields + FIXED, count - FIXED};
        percent_decode(fields[5]);
        puts(answers[access_decide(&who, op_of(fields[3]), fields[5], fields[4][0] == '1', is_member,
                                   &seating)]);
    }
    free(line);
    return EXIT_SUCCESS;
}
