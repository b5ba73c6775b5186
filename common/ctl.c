/*
 * parley-ctl: the operator's tool, and the few things that the `./parley` script cannot do by
 * itself.
 *
 * Every command is a row of the table `commands`. What a command prints on standard output is its
 * result and nothing else; complaints go to standard error, and the exit status is 1 then, or 2
 * when the call itself is wrong.
 */
#include "common/clock.h"
#include "common/config.h"
#include "common/ids.h"
#include "common/process.h"
#include "common/token.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, SETTINGS_MAX = 32, TTL_DEFAULT_S = 3600 };

/* What the options of a call say; a command uses those that its row names. */
struct call {
    const char *state_dir;
    const char *config;
    const char *role;
    const char *id;
    const char *room;
    const char *ttl;
    const char *shards;
    const char *settings[SETTINGS_MAX];
    int setting_count;
    char **words; /* what follows the options */
    int word_count;
};

static int complain(const char *what, const char *detail)
{
    fprintf(stderr, "parley-ctl: %s%s%s\n", what, detail ? ": " : "", detail ? detail : "");
    return EXIT_FAILURE;
}

/* The configuration of the running instance: what `./parley run` left in the state folder, or the
 * file of --config. */
static int load_config(const struct call *call, struct config *out)
{
    char path[PATH_MAX];
    char why[CONFIG_WHY_MAX + 1];

    if (call->config)
        snprintf(path, sizeof path, "%s", call->config);
    else if (call->state_dir)
        snprintf(path, sizeof path, "%s/parley.conf", call->state_dir);
    else
        return complain("--state-dir or --config is needed", NULL);
    if (config_load(path, out, why) != STATUS_OK)
        return complain(why, "is the instance set up? (./parley run)");
    return EXIT_SUCCESS;
}

/* A whole number of seconds from 1 to ten years, or 0. */
static int64_t parse_ttl(const char *text)
{
    const int64_t ten_years = INT64_C(315360000);
    char *end;

    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno || end == text || *end || value < 1 || value > ten_years ? 0 : value;
}

static int command_token(const struct call *call)
{
    static struct config config;
    struct token_claims claims = {0};
    struct keyring *keyring = NULL;
    char token[TOKEN_MAX + 1];
    char why[CONFIG_WHY_MAX + 1];
    int64_t ttl = call->ttl ? parse_ttl(call->ttl) : TTL_DEFAULT_S;
    int result = EXIT_FAILURE;

    if (!call->role || !call->id)
        return complain("token needs --role and --id", NULL), EXIT_USAGE;
    claims.role = role_from_name(call->role);
    if (claims.role == ROLE_NONE)
        return complain("--role is peer, device, service or operator, not", call->role), EXIT_USAGE;
    if (!ttl)
        return complain("--ttl is a whole number of seconds, not", call->ttl), EXIT_USAGE;
    if (peer_id_role(call->id, strlen(call->id)) != claims.role)
        return complain("the id does not fit the role (p-… peer, d-… device, s-… service, o-… "
                        "operator, of A-Z a-z 0-9 - _)",
                        call->id);
    if ((claims.role == ROLE_PEER) != (call->room != NULL))
        return complain("--room goes with --role peer, and only there", NULL);
    if (call->room && !id_is_valid(call->room, strlen(call->room)))
        return complain(status_detail(STATUS_BAD_ROOM_ID), call->room);
    if (load_config(call, &config) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    if (keyring_load(config.keys_file, &keyring, why, sizeof why) != STATUS_OK)
        return complain(why, NULL);

    snprintf(claims.peer_id, sizeof claims.peer_id, "%s", call->id);
    if (call->room)
        snprintf(claims.room, sizeof claims.room, "%s", call->room);
    claims.issued_at = clock_wall_s();
    claims.expires_at = claims.issued_at + ttl;
    if (token_sign(keyring, &claims, token) != STATUS_OK) {
        complain("cannot sign that token", NULL);
    } else {
        puts(token);
        result = EXIT_SUCCESS;
    }
    keyring_free(keyring);
    return result;
}

/*
 * Makes the key file once, readable by its owner only; a file that is there is left alone. It gets
 * its name when it is whole: of several that make it at once, none returns before it can be read.
 */
static int command_keygen(const struct call *call)
{
    char line[KEY_LINE_MAX + 1], fresh[PATH_MAX];

    if (call->word_count != 1)
        return complain("keygen needs the path of the key file", NULL), EXIT_USAGE;
    const char *path = call->words[0];
    if (access(path, F_OK) == 0)
        return EXIT_SUCCESS;
    if (snprintf(fresh, sizeof fresh, "%s.XXXXXX", path) >= (int)sizeof fresh)
        return complain(path, "is too long");
    int fd = mkostemp(fresh, O_CLOEXEC);
    if (fd < 0)
        return complain(path, strerror(errno));
    key_line_generate(line);
    bool is_whole = dprintf(fd, "%s\n", line) > 0 && fsync(fd) == 0;
    is_whole = close(fd) == 0 && is_whole;
    bool is_there = is_whole && (link(fresh, path) == 0 || errno == EEXIST);
    unlink(fresh);
    return is_there ? EXIT_SUCCESS : complain(path, "cannot be written");
}

/* Takes one --set. `broker.OPTION` is the first broker's, whatever its name, and `brokers.OPTION`
 * every broker's. */
static enum status apply_setting(struct config *config, const char *setting,
                                 char why[static CONFIG_WHY_MAX + 1])
{
    char assignment[2 * CONFIG_TEXT_MAX];
    bool is_first = strncmp(setting, "broker.", 7) == 0;
    bool is_every = strncmp(setting, "brokers.", 8) == 0;
    enum status status = STATUS_OK;

    if (!is_first && !is_every)
        return config_set(config, setting, why);
    unsigned count = is_first ? 1 : config->broker_count;
    for (unsigned i = 0; i < count && status == STATUS_OK; i++) {
        snprintf(assignment, sizeof assignment, "broker %s%s", config->brokers[i].name,
                 strchr(setting, '.'));
        status = config_set(config, assignment, why);
    }
    return status;
}

/* How many shards --shards asks for: a number, or `auto`, one for each core that this process may
 * use. False when it says neither. */
static bool shard_count(const char *text, unsigned *out)
{
    cpu_set_t cores;
    if (strcmp(text, "auto") == 0) {
        int count = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
        *out = count < BROKERS_MAX ? (unsigned)count : BROKERS_MAX;
        return true;
    }
    *out = (unsigned)strtoul(text, NULL, 10);
    return text[0] && strlen(text) < 8 && text[strspn(text, "0123456789")] == '\0';
}

/* Prints the whole configuration that results from --config, the --set assignments and --shards. */
static int command_config(const struct call *call)
{
    static struct config config;
    char why[CONFIG_WHY_MAX + 1];

    if (config_load(call->config, &config, why) != STATUS_OK)
        return complain(why, NULL);
    for (int i = 0; i < call->setting_count; i++)
        if (apply_setting(&config, call->settings[i], why) != STATUS_OK)
            return complain(why, NULL);
    if (call->shards) {
        unsigned count;
        if (!shard_count(call->shards, &count))
            return complain("--shards is a number or auto, not", call->shards);
        if (config_add_shards(&config, count, why) != STATUS_OK)
            return complain("--shards", why);
    }
    if (config_check(&config, why) != STATUS_OK)
        return complain(why, NULL);
    config_write(stdout, &config);
    return EXIT_SUCCESS;
}

/* Prints the table of options as the README shows it. */
static int command_options(const struct call *call)
{
    (void)call;
    config_print_options(stdout, true);
    return EXIT_SUCCESS;
}

/* Exit status 0 when a listener could bind ADDRESS and PORT now. */
static int command_port_free(const struct call *call)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *address = NULL;
    int result = EXIT_FAILURE;

    if (call->word_count != 2)
        return complain("port-free needs an address and a port", NULL), EXIT_USAGE;
    int error = getaddrinfo(call->words[0], call->words[1], &hints, &address);
    if (error)
        return complain(call->words[0], gai_strerror(error));
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 1) == 0)
        result = EXIT_SUCCESS;
    if (fd >= 0)
        close(fd);
    freeaddrinfo(address);
    return result;
}

/* One that a broker left behind is free: the next one replaces it. "" is none. */
static int command_socket_free(const struct call *call)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (call->word_count != 1)
        return complain("socket-free needs a path", NULL), EXIT_USAGE;
    const char *path = call->words[0];
    if (strlen(path) >= sizeof address.sun_path)
        return complain(path, "is too long for a socket");
    if (!path[0])
        return EXIT_SUCCESS;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return complain(path, strerror(errno));
    bool is_free = connect(fd, (struct sockaddr *)&address, sizeof address) != 0 &&
                   (errno == ENOENT || errno == ECONNREFUSED);
    close(fd);
    return is_free ? EXIT_SUCCESS : EXIT_FAILURE;
}

struct command {
    const char *name;
    const char *usage;
    const char *sentence;
    int (*run)(const struct call *call);
};

static const struct command commands[] = {
    {"token", "--role ROLE --id ID [--room R] [--ttl S]", "print an access token", command_token},
    {"keygen", "FILE", "make a key file, unless it is there", command_keygen},
    {"config", "[--config FILE] [--set SECTION.OPTION=VALUE]… [--shards N|auto]",
     "print the configuration that results", command_config},
    {"options", "", "print the table of configuration options", command_options},
    {"port-free", "ADDRESS PORT", "tell by the exit status whether a port can be bound",
     command_port_free},
    {"socket-free", "PATH", "tell by the exit status whether nobody listens on a Unix socket",
     command_socket_free},
};

static void print_usage(FILE *out)
{
    fputs("usage: parley-ctl COMMAND [--state-dir DIR | --config FILE] …\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %s %s\n        %s\n", commands[i].name, commands[i].usage,
                commands[i].sentence);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"state-dir", required_argument, NULL, 'S'},
        {"config", required_argument, NULL, 'c'},
        {"role", required_argument, NULL, 'r'},
        {"id", required_argument, NULL, 'i'},
        {"room", required_argument, NULL, 'R'},
        {"ttl", required_argument, NULL, 't'},
        {"set", required_argument, NULL, 's'},
        {"shards", required_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };
    struct call call = {0};

    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'S':
            call.state_dir = optarg;
            break;
        case 'c':
            call.config = optarg;
            break;
        case 'r':
            call.role = optarg;
            break;
        case 'i':
            call.id = optarg;
            break;
        case 'R':
            call.room = optarg;
            break;
        case 't':
            call.ttl = optarg;
            break;
        case 's':
            if (call.setting_count == SETTINGS_MAX)
                return complain("too many --set", NULL), EXIT_USAGE;
            call.settings[call.setting_count++] = optarg;
            break;
        case 'n':
            call.shards = optarg;
            break;
        case 'h':
            print_usage(stdout);
            return EXIT_SUCCESS;
        case 'V':
            puts("parley-ctl " PARLEY_VERSION);
            return EXIT_SUCCESS;
        default:
            print_usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (optind == argc) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    process_forbid_core_dumps(); /* some commands read or make keys */
    const char *name = argv[optind++];
    call.words = argv + optind;
    call.word_count = argc - optind;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(&call);
    fprintf(stderr, "parley-ctl: there is no command %s\n", name);
    print_usage(stderr);
    return EXIT_USAGE;
}
