/*
 * fields: a JSON object from outside, opened with every check, and its fields by typed getters.
 *
 * The getters set a fault and nothing else when a field is not what was asked for; after the first
 * fault they do nothing, so a decoder reads all its fields in a row and looks at `status` once.
 * Names are compared exactly, case included.
 */
#ifndef PARLEY_FIELDS_H
#define PARLEY_FIELDS_H

#include "messages.h"
#include "status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Integers that a double holds exactly, and no other text rounds to (RFC 8259, section 6). */
#define FIELD_COUNT_MAX (((uint64_t)1 << 53) - 1)

struct fields {
    const cJSON *object;
    enum status status;      /* STATUS_OK until the first fault */
    struct msg_fault *fault; /* may be NULL */
};

/*
 * Scans and parses `in`, which has to be one JSON object of at most `max` bytes. Returns the tree,
 * owned by the caller (cJSON_Delete), and sets `out` up to read it; NULL when it is no such object,
 * with out->status STATUS_TOO_LARGE or STATUS_BAD_REQUEST.
 */
cJSON *fields_open(struct payload in, size_t max, struct fields *out, struct msg_fault *fault);

/* Looks into object `object` with the same status and fault as `fields`: for objects within
 * objects. */
struct fields fields_within(const struct fields *fields, const cJSON *object);

/* Notes a fault by hand, unless there is one already: field `name` is not `what`. */
void fields_refuse(struct fields *fields, enum status status, const char *name, const char *what);

/* The member called `name`, or NULL; missing is a fault when it is required. JSON null counts as a
 * value of the wrong type. */
const cJSON *field_find(struct fields *fields, const char *name, bool required);

/* A string of at most `max` bytes into `out` (max + 1 bytes). Optional and absent: "". */
void field_text(struct fields *fields, const char *name, char *out, size_t max, bool required);

/* An id into `out` (65 bytes); `status` is the fault of one that has another form. Optional and
 * absent: "". */
void field_id(struct fields *fields, const char *name, char out[static ROOM_ID_MAX + 1],
              bool required, enum status status);

/* A peer name, trimmed; STATUS_BAD_PEER_NAME when it is none. Optional and absent: "". */
void field_peer_name(struct fields *fields, const char *name, char out[static PEER_NAME_MAX + 1],
                     bool required);

/* A required integer from 0 to `max`, no fraction. */
void field_count(struct fields *fields, const char *name, uint64_t *out, uint64_t max);

/* True or false. Optional and absent: false. */
void field_flag(struct fields *fields, const char *name, bool *out, bool required);

/* A required string that is one of `count` words; its index goes to `out`. */
void field_word(struct fields *fields, const char *name, const char *const *words, size_t count,
                unsigned *out);

#endif
