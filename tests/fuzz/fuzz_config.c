/*
 * config_parse on any bytes, and config_set on their lines.
 *
 * What is wrong is said with a line, and leaves what was there alone. What is right is written and
 * read back to the same; and whatever an operator may write, the JSON that httpd makes of it is
 * JSON.
 */
#include "fuzz.h"

#include "common/address.h"
#include "common/config.h"
#include "common/json_scan.h"
#include "httpd/bodies.h"
#include "httpd/site.h"

static struct config config, again, untouched, marked;

static void write_to_text(const struct config *from, char **text, size_t *len)
{
    FILE *out = open_memstream(text, len);
    PROMISE(out != NULL);
    config_write(out, from);
    PROMISE(fclose(out) == 0);
}

/* Written and read back is the same: as a file, and as every value. */
static void check_written(const struct config *from)
{
    char *first = NULL, *second = NULL, why[CONFIG_WHY_MAX + 1] = "";
    size_t first_len = 0, second_len = 0;
    write_to_text(from, &first, &first_len);
    PROMISE(config_parse("written", first, first_len, &again, why) == STATUS_OK);
    write_to_text(&again, &second, &second_len);
    PROMISE(first_len == second_len && memcmp(first, second, first_len) == 0);
    PROMISE(again.broker_count == from->broker_count);
    free(first);
    free(second);
}

/* What httpd hands out of a configuration. */
static void check_bodies(const struct config *from)
{
    struct site site;
    struct turn_secret secret = {6, "secret"};
    char url[CONFIG_TEXT_MAX + HOST_MAX + 1], text[BODY_MAX];
    if (!site_of_request("[::1]:8080", from->http_public_url, false, &site) ||
        !site_broker_url(&site, &from->brokers[0], url, sizeof url))
        return;
    struct body_peer peer = {.peer_id = "p-1",
                             .token = "token",
                             .expires_at = 2,
                             .expires_in_s = 1,
                             .mqtt_url = url,
                             .ice_urls = from->turn_urls,
                             .turn_secret = &secret,
                             .turn_expires_at = 2};
    size_t len = body_peer(&peer, text, sizeof text);
    PROMISE(len == 0 || json_scan(text, len) == JSON_FINE);
    len = body_room_created("r1", site.base, text, sizeof text);
    PROMISE(len > 0 && json_scan(text, len) == JSON_FINE);
}

static void check_config(const struct config *from)
{
    PROMISE(from->broker_count >= 1 && from->broker_count <= BROKERS_MAX);
    PROMISE(from->keys_file[0] != '\0' && from->log_level >= 0 && from->log_level <= 3);
    PROMISE(config_broker_of_room(from, "r1") < from->broker_count);
    struct address_nets trusted;
    PROMISE(address_nets_parse(from->trusted_proxies, &trusted));
    for (unsigned i = 0; i < from->broker_count; i++) {
        char store[CONFIG_STORE_MAX + 1], other[CONFIG_STORE_MAX + 1];
        PROMISE(config_broker_by_name(from, from->brokers[i].name) == (int)i);
        config_store_path(from, &from->brokers[i], store);
        config_store_path(from, &from->brokers[0], other);
        PROMISE(i == 0 || strcmp(store, other) != 0);
    }
    check_written(from);
    check_bodies(from);
}

/* No line that libinih would go on with in its middle. */
static void check_lines(const uint8_t *data, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < size; i++) {
        len = data[i] == '\n' ? 0 : len + 1;
        PROMISE(len < 1024);
    }
}

static void set_lines(struct input *in)
{
    char why[CONFIG_WHY_MAX + 1] = "";
    config_defaults(&config);
    while (in->left > 0) {
        char *line = input_line(in);
        memcpy(&untouched, &config, sizeof config);
        if (config_set(&config, line, why) != STATUS_OK) {
            PROMISE(why[0] != '\0');
            PROMISE(memcmp(&untouched, &config, sizeof config) == 0);
        }
        free(line);
    }
    /* Single options may exclude each other, which a file's may not. */
    if (config_check(&config, why) == STATUS_OK)
        check_config(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[CONFIG_WHY_MAX + 1] = "";
    if (marked.broker_count == 0)
        memset(&marked, 0x5a, sizeof marked);
    memcpy(&config, &marked, sizeof config);
    if (config_parse("f", (const char *)data, size, &config, why) == STATUS_OK) {
        check_config(&config);
        check_lines(data, size);
        return 0;
    }
    PROMISE(strncmp(why, "f:", 2) == 0 && strlen(why) > 4);
    PROMISE(memcmp(&config, &marked, sizeof config) == 0);
    struct input in = {data, size};
    if (size < 512)
        set_lines(&in);
    return 0;
}
