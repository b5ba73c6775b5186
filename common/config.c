#include "config.h"

#include "config_table.h"
#include "ids.h"
#include "log.h"

#include <stdio.h>
#include <string.h>

/* ---- defaults and single options ---- */

static void assign_defaults(void *base, bool of_broker)
{
    char why[CONFIG_WHY_MAX + 1];
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        const struct config_option *option = &config_options[i];
        if ((strcmp(option->section, CONFIG_BROKER) == 0) == of_broker)
            config_assign(option, base, option->start, why);
    }
}

struct config_broker *config_add_broker(struct config *config, const char *name)
{
    if (config->broker_count == BROKERS_MAX)
        return NULL;
    struct config_broker *broker = &config->brokers[config->broker_count++];
    *broker = (struct config_broker){0};
    snprintf(broker->name, sizeof broker->name, "%s", name);
    assign_defaults(broker, true);
    return broker;
}

void config_defaults(struct config *out)
{
    memset(out, 0, sizeof *out);
    assign_defaults(out, false);
    config_derive_keys_file(out, out->keys_file);
    config_add_broker(out, CONFIG_BROKER_MAIN);
}

/* Splits "section.option=value"; false when it has another form or a part is too long. */
static bool split_assignment(const char *assignment, char section[static CONFIG_TEXT_MAX + 1],
                             char name[static CONFIG_TEXT_MAX + 1], const char **value)
{
    const char *dot = strchr(assignment, '.');
    const char *equals = dot ? strchr(dot, '=') : NULL;
    if (!equals || dot - assignment > CONFIG_TEXT_MAX || equals - dot > CONFIG_TEXT_MAX)
        return false;
    snprintf(section, CONFIG_TEXT_MAX + 1, "%.*s", (int)(dot - assignment), assignment);
    snprintf(name, CONFIG_TEXT_MAX + 1, "%.*s", (int)(equals - dot - 1), dot + 1);
    *value = equals + 1;
    return true;
}

enum status config_set(struct config *config, const char *assignment,
                       char why[static CONFIG_WHY_MAX + 1])
{
    char section[CONFIG_TEXT_MAX + 1], name[CONFIG_TEXT_MAX + 1], keys[CONFIG_TEXT_MAX + 1];
    const char *value;
    if (!split_assignment(assignment, section, name, &value)) {
        snprintf(why, CONFIG_WHY_MAX + 1, "it is not section.option=value");
        return STATUS_BAD_REQUEST;
    }
    const struct config_option *option = config_find_option(section, name);
    const char *broker = config_broker_name(section);
    int index = broker ? config_broker_by_name(config, broker) : -1;
    if (!option || (broker && index < 0)) {
        snprintf(why, CONFIG_WHY_MAX + 1, "there is no %s %.60s in section %.60s",
                 option ? "broker" : "option", option ? broker : name, section);
        return STATUS_BAD_REQUEST;
    }
    /* A keys_file that follows state_dir goes on doing so. */
    bool follows = option->offset == offsetof(struct config, state_dir) && !broker &&
                   config_derive_keys_file(config, keys) && strcmp(keys, config->keys_file) == 0;
    struct config changed = *config;
    void *base = broker ? (void *)&changed.brokers[index] : &changed;
    if (!config_assign(option, base, value, why))
        return STATUS_BAD_REQUEST;
    if (follows && !config_derive_keys_file(&changed, changed.keys_file)) {
        snprintf(why, CONFIG_WHY_MAX + 1, "state_dir is too long");
        return STATUS_BAD_REQUEST;
    }
    *config = changed;
    return STATUS_OK;
}

enum status config_check(const struct config *config, char why[static CONFIG_WHY_MAX + 1])
{
    bool tls = config->tls_cert[0] != '\0';
    if (tls != (config->tls_key[0] != '\0')) {
        snprintf(why, CONFIG_WHY_MAX + 1, "tls_cert and tls_key go together");
        return STATUS_BAD_REQUEST;
    }
    return config_check_brokers(config, why);
}

/* ---- writing ---- */

static void write_value(FILE *out, const struct config_option *option, const void *base)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    const void *at = (const char *)base + option->offset;
    if (option->kind == CONFIG_NUMBER)
        fprintf(out, "%s = %u\n", option->name, *(const unsigned *)at);
    else if (option->kind == CONFIG_LEVEL)
        fprintf(out, "%s = %s\n", option->name, levels[*(const int *)at]);
    else
        fprintf(out, "%s = %s\n", option->name, (const char *)at);
}

static void write_broker(FILE *out, const struct config_broker *broker)
{
    fprintf(out, "\n[" CONFIG_BROKER " %s]\n", broker->name);
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        if (strcmp(config_options[i].section, CONFIG_BROKER) == 0)
            write_value(out, &config_options[i], broker);
    }
}

void config_write(FILE *out, const struct config *config)
{
    const char *section = "";
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        const struct config_option *option = &config_options[i];
        if (strcmp(option->section, CONFIG_BROKER) == 0)
            continue;
        if (strcmp(option->section, section) != 0)
            fprintf(out, "%s[%s]\n", i > 0 ? "\n" : "", option->section);
        section = option->section;
        write_value(out, option, config);
    }
    for (unsigned i = 0; i < config->broker_count; i++)
        write_broker(out, &config->brokers[i]);
}

void config_print_options(FILE *out, bool markdown)
{
    if (markdown)
        fprintf(out, "| section | option | default | |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        const struct config_option *option = &config_options[i];
        const char *name = strcmp(option->section, CONFIG_BROKER) == 0 ? " NAME" : "";
        const char *mark = option->start[0] ? "`" : "";
        if (markdown)
            fprintf(out, "| `[%s%s]` | `%s` | %s%s%s | %s |\n", option->section, name, option->name,
                    mark, option->start, mark, option->about);
        else
            fprintf(out, "  %s%s.%s=%s\n      %s\n", option->section, name, option->name,
                    option->start, option->about);
    }
}
