/* roomd: options and keys; then the service. */
#include "service.h"

#include "common/config.h"
#include "common/log.h"
#include "common/process.h"
#include "common/token.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* One row an option: the parser and --help both come from here. */
static const struct {
    int letter;
    const char *name;
    const char *argument; /* NULL = takes none */
    const char *help;
} options_table[] = {
    {'c', "config", "FILE", "read the configuration from FILE (default: defaults only)"},
    {'b', "broker", "NAME", "serve the broker of that name (default: the first)"},
    {'n', "check", NULL, "check configuration and keys, and exit"},
    {'h', "help", NULL, "print this and exit"},
    {'v', "version", NULL, "print the version and exit"},
};

#define OPTION_COUNT (sizeof(options_table) / sizeof(options_table[0]))

struct command {
    const char *config_file; /* NULL = none */
    const char *broker;      /* NULL = the first */
    bool check_only;
};

static void print_help(void)
{
    puts("Usage: roomd [OPTION]...\nThe authority over Parley's rooms, at one MQTT broker.\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char option[64];
        snprintf(option, sizeof(option), "%s%s%s", options_table[i].name,
                 options_table[i].argument != NULL ? " " : "",
                 options_table[i].argument != NULL ? options_table[i].argument : "");
        printf("  -%c, --%-16s %s\n", options_table[i].letter, option, options_table[i].help);
    }
}

/* Reads the command line. Returns -1 to go on, else the exit code. */
static int parse_command(int argc, char **argv, struct command *out)
{
    struct option longs[OPTION_COUNT + 1] = {0};
    char shorts[2 * OPTION_COUNT + 1] = "";
    for (size_t i = 0, used = 0; i < OPTION_COUNT; i++) {
        bool has_argument = options_table[i].argument != NULL;
        longs[i] = (struct option){
            .name = options_table[i].name, .has_arg = has_argument, .val = options_table[i].letter};
        shorts[used++] = (char)options_table[i].letter;
        if (has_argument) {
            shorts[used++] = ':';
        }
    }
    int letter;
    while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        switch (letter) {
        case 'c':
            out->config_file = optarg;
            break;
        case 'b':
            out->broker = optarg;
            break;
        case 'n':
            out->check_only = true;
            break;
        case 'h':
            print_help();
            return EXIT_SUCCESS;
        case 'v':
            puts("roomd " PARLEY_VERSION);
            return EXIT_SUCCESS;
        default:
            return EXIT_FAILURE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "roomd: unexpected argument: %s\n", argv[optind]);
        return EXIT_FAILURE;
    }
    return -1;
}

static int fail(const char *why)
{
    fprintf(stderr, "roomd: %s\n", why);
    return EXIT_FAILURE;
}

/* A descriptor that tells of the signals that the service handles, which are blocked from here on.
 */
static int open_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int serve(const struct config *config, const struct config_broker *broker)
{
    char path[CONFIG_STORE_MAX + 1];
    struct service_options options = {.config = config, .broker = broker, .store_path = path};
    int exit_code = EXIT_FAILURE;

    options.signal_fd = open_signals();
    if (options.signal_fd < 0) {
        return fail("no descriptor for signals");
    }
    umask(077); /* the store holds people's names */
    config_store_path(config, broker, path);
    if (service_run(&options) == STATUS_OK) {
        exit_code = EXIT_SUCCESS;
    }
    close(options.signal_fd);
    return exit_code;
}

int main(int argc, char **argv)
{
    static struct config config;
    struct command command = {0};
    struct keyring *keyring = NULL;
    char why[CONFIG_WHY_MAX + 1] = "";

    int exit_code = parse_command(argc, argv, &command);
    if (exit_code >= 0) {
        return exit_code;
    }
    if (config_load(command.config_file, &config, why) != STATUS_OK) {
        return fail(why);
    }
    log_set_level((enum log_level)config.log_level);
    int broker = config_broker_by_name(&config, command.broker);
    if (broker < 0) {
        return fail("the configuration has no broker of that name");
    }
    process_forbid_core_dumps();
    if (!command.check_only) {
        /* Before the store is opened: its files belong to the user. */
        if (process_become(config.user, why, sizeof(why)) != STATUS_OK) {
            return fail(why);
        }
        return serve(&config, &config.brokers[broker]);
    }
    if (keyring_load(config.keys_file, &keyring, why, sizeof(why)) != STATUS_OK) {
        return fail(why);
    }
    keyring_free(keyring);
    return EXIT_SUCCESS;
}
