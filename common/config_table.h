/*
 * config_table: the rows that config.c and config_file.c read, set, write and print options by, and
 * what else the files of config.h have from each other. For those files only.
 */
#ifndef PARLEY_CONFIG_TABLE_H
#define PARLEY_CONFIG_TABLE_H

#include "config.h"

enum config_kind {
    CONFIG_TEXT,    /* any text */
    CONFIG_HOST,    /* a name or an address: no blanks, not empty */
    CONFIG_ADDRESS, /* an IPv4 or IPv6 address */
    CONFIG_HTTP,    /* "" or an http: or https: URL */
    CONFIG_WS,      /* "" or a ws: or wss: URL */
    CONFIG_SOCKET,  /* "" or an absolute path without blanks */
    CONFIG_ICE,     /* stun: and turn: URLs, separated by blanks */
    CONFIG_NETS,    /* addresses and prefixes, separated by blanks */
    CONFIG_NUMBER,  /* a whole number from min to max */
    CONFIG_LEVEL,   /* a log level's name */
};

struct config_option {
    const char *section; /* "broker" stands for every [broker NAME] */
    const char *name;
    enum config_kind kind;
    const char *start; /* the default, as it stands in a file */
    unsigned min, max; /* of a number */
    size_t offset;     /* into struct config, or struct config_broker */
    const char *about;
};

#define CONFIG_BROKER       "broker"
#define CONFIG_PORT_MAX     65535
#define CONFIG_OPTION_COUNT 33

extern const struct config_option config_options[CONFIG_OPTION_COUNT];

/*
 * The row of option `name` in `section` ("http", "broker main"), or NULL. For "broker NAME" whether
 * there is such a broker is not asked.
 */
const struct config_option *config_find_option(const char *section, const char *name);

/* NAME of a section "broker NAME", or NULL when it is no such section or NAME is no id. */
const char *config_broker_name(const char *section);

/* True when there may be a section called `section`: one of the rows' own, or a well-formed "broker
 * NAME". */
bool config_is_section(const char *section);

/* Appends a broker with every option at its default. NULL when there are BROKERS_MAX already. */
struct config_broker *config_add_broker(struct config *config, const char *name);

/*
 * Checks `value` and puts it where `option` keeps it, in `base` (the struct config or struct
 * config_broker). False, with `base` not touched and a sentence in `why`, when the value is not the
 * option's.
 */
bool config_assign(const struct config_option *option, void *base, const char *value,
                   char why[static CONFIG_WHY_MAX + 1]);

/* config_check's part about brokers. */
enum status config_check_brokers(const struct config *config, char why[static CONFIG_WHY_MAX + 1]);

/* keys_file's default: STATE_DIR/keys. False when that is too long. */
bool config_derive_keys_file(const struct config *config, char out[static CONFIG_TEXT_MAX + 1]);

#endif
