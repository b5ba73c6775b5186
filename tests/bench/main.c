/*
 * loadgen: the same work against any of the systems that ./parley bench compares. It connects to
 * 127.0.0.1 only, does what it is told in turn, and prints a line of JSON for each (report.h).
 */
#include "work.h"

#include "common/config.h"
#include "common/process.h"
#include "common/token.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, NUMBERS_MAX = 3 };

static void usage(FILE *out)
{
    fputs("usage: loadgen --parley FILE [OPTION]... WORK...\n"
          "       loadgen --dialect mqtt|socketio|peerjs --port N [OPTION]... WORK...\n"
          "  --parley FILE    Parley's configuration: its brokers, and the keys that sign tokens\n"
          "  --tcp            MQTT over TCP, not over a WebSocket\n"
          "  --mqtt 3|5       MQTT 3.1.1 or 5 (5)\n"
          "  --qos 0|1        of every signal (as the contract has it)\n"
          "  --devices        peers are devices\n"
          "  --batches N      messages for ten candidates, where they travel together (2)\n"
          "  --pids P,...     the server's processes\n"
          "  --first-room N   rooms below are another generator's (0)\n"
          "work, done in turn:\n"
          "  rooms=COUNT                 makes the rooms that what follows needs\n"
          "  idle=COUNT                  peers that stay until the end\n"
          "  talks=COUNT                 calls that stay until the end, in rooms of their own\n"
          "  stay=SECONDS                nothing, for so long, or until standard input ends\n"
          "  calls=COUNT,AT_ONCE,ROOMS   calls, with new connections for each\n"
          "  kept=COUNT,AT_ONCE,ROOMS    calls on connections that stay\n"
          "  relay=COUNT                 3 KB from one to the other, one after the other\n"
          "  flood=PAIRS,SECONDS         as many of them as go through\n"
          "  connects=COUNT,AT_ONCE      connects, each closed again\n",
          out);
}

struct command {
    struct bench bench;
    struct config parley;
    const char *parley_file;
};

/* ---- options ---- */

static bool read_number(const char *text, unsigned most, unsigned *out)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    *out = (unsigned)value;
    return !errno && end != text && !*end && value <= most;
}

static bool set_dialect(struct target *target, const char *name)
{
    static const struct {
        const char *name;
        const struct dialect *dialect;
    } known[] = {
        {"mqtt", &dialect_mqtt}, {"socketio", &dialect_socketio}, {"peerjs", &dialect_peerjs}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0)
            target->dialect = known[i].dialect;
    }
    return target->dialect != NULL;
}

static bool read_options(int argc, char **argv, struct command *command)
{
    static const struct option options[] = {{"dialect", required_argument, NULL, 'd'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"tcp", no_argument, NULL, 't'},
                                            {"mqtt", required_argument, NULL, 'm'},
                                            {"qos", required_argument, NULL, 'q'},
                                            {"parley", required_argument, NULL, 'k'},
                                            {"devices", no_argument, NULL, 'D'},
                                            {"batches", required_argument, NULL, 'b'},
                                            {"pids", required_argument, NULL, 'P'},
                                            {"first-room", required_argument, NULL, 'R'},
                                            {0}};
    struct target *target = &command->bench.target;
    unsigned number = 0;
    bool fine = true;
    int letter;
    *target = (struct target){.is_websocket = true, .mqtt_version = 5, .qos = -1};
    command->bench.batches = 2;
    while (fine && (letter = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (letter) {
        case 'd':
            fine = set_dialect(target, optarg);
            break;
        case 'p':
            fine = read_number(optarg, UINT16_MAX, &target->port) && target->port > 0;
            break;
        case 't':
            target->is_websocket = false;
            break;
        case 'm':
            fine = read_number(optarg, 5, &number) && (number == 3 || number == 5);
            target->mqtt_version = number == 3 ? 4 : 5;
            break;
        case 'q':
            fine = read_number(optarg, 1, &number);
            target->qos = (int)number;
            break;
        case 'k':
            command->parley_file = optarg;
            target->dialect = &dialect_mqtt;
            break;
        case 'D':
            target->has_devices = true;
            break;
        case 'b':
            fine = read_number(optarg, CANDIDATES_EACH, &command->bench.batches) &&
                   command->bench.batches > 0 && CANDIDATES_EACH % command->bench.batches == 0;
            break;
        case 'P':
            fine = procs_parse(optarg, &command->bench.procs);
            break;
        case 'R':
            fine = read_number(optarg, UINT32_MAX, &command->bench.next_room);
            break;
        default:
            fine = false;
        }
    }
    return fine && target->dialect && (target->port > 0) != (command->parley_file != NULL) &&
           optind < argc;
}

/* ---- work ---- */

/* "NAME=1,2,3": how many numbers there are, each of 1 at least; 0 when it is nothing of the kind.
 */
static unsigned read_numbers(const char *text, unsigned numbers[static NUMBERS_MAX])
{
    unsigned count = 0;
    const char *at = strchr(text, '=');
    while (at && count < NUMBERS_MAX) {
        char *end;
        unsigned long value = strtoul(at + 1, &end, 10);
        if (end == at + 1 || value == 0 || value > UINT32_MAX || (*end && *end != ','))
            return 0;
        numbers[count++] = (unsigned)value;
        at = *end ? end : NULL;
    }
    return at ? 0 : count;
}

static bool refuse(const char *why)
{
    fprintf(stderr, "loadgen: %s\n", why);
    return false;
}

static bool do_rooms(struct command *command, const unsigned *n)
{
    if (!command->bench.target.parley)
        return refuse("only Parley makes rooms");
    return work_rooms(&command->bench, n[0]);
}

static bool run_idle(struct command *command, unsigned count, bool in_calls)
{
    if (command->bench.idle)
        return refuse("there are idle peers already");
    return work_idle(&command->bench, count, in_calls);
}

static bool do_idle(struct command *command, const unsigned *n)
{
    return run_idle(command, n[0], false);
}

static bool do_talks(struct command *command, const unsigned *n)
{
    return n[0] <= UINT32_MAX / 2 && run_idle(command, 2 * n[0], true);
}

static bool do_stay(struct command *command, const unsigned *n)
{
    return work_stay(&command->bench, n[0]);
}

static bool run_calls(struct command *command, const unsigned *n, bool kept)
{
    const struct call_load load = {.count = n[0], .at_once = n[1], .rooms = n[2], .kept = kept};
    if (n[2] < n[1])
        return refuse("so many calls at once need as many rooms");
    return work_calls(&command->bench, &load);
}

static bool do_calls(struct command *command, const unsigned *n)
{
    return run_calls(command, n, false);
}

static bool do_kept(struct command *command, const unsigned *n)
{
    return run_calls(command, n, true);
}

static bool do_relay(struct command *command, const unsigned *n)
{
    return work_relay(&command->bench, n[0]);
}

static bool do_flood(struct command *command, const unsigned *n)
{
    return work_flood(&command->bench, n[0], n[1]);
}

static bool do_connects(struct command *command, const unsigned *n)
{
    return work_connects(&command->bench, n[0], n[1]);
}

static bool do_work(struct command *command, const char *text)
{
    static const struct {
        const char *name;
        unsigned numbers;
        bool (*run)(struct command *command, const unsigned *numbers);
    } kinds[] = {{"rooms=", 1, do_rooms},       {"idle=", 1, do_idle},   {"calls=", 3, do_calls},
                 {"kept=", 3, do_kept},         {"relay=", 1, do_relay}, {"flood=", 2, do_flood},
                 {"connects=", 2, do_connects}, {"talks=", 1, do_talks}, {"stay=", 1, do_stay}};
    unsigned numbers[NUMBERS_MAX];
    unsigned count = read_numbers(text, numbers);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strncmp(text, kinds[i].name, strlen(kinds[i].name)) == 0 && count == kinds[i].numbers) {
            command->bench.next_peer += command->bench.next_peer & 1; /* an odd one was before */
            return kinds[i].run(command, numbers);
        }
    }
    fprintf(stderr, "loadgen: %s is no work that can be done\n", text);
    return false;
}

/* Whether none of those who are idle was lost by the end of a work. */
static bool are_idle_there(struct bench *bench)
{
    net_turn(&bench->net, 0);
    return !bench->fault || refuse(bench->fault);
}

static bool load_parley(struct command *command, struct keyring **keys)
{
    char why[CONFIG_WHY_MAX + 1];
    if (!command->parley_file)
        return true;
    if (config_load(command->parley_file, &command->parley, why) != STATUS_OK ||
        keyring_load(command->parley.keys_file, keys, why, sizeof why) != STATUS_OK) {
        fprintf(stderr, "loadgen: %s\n", why);
        return false;
    }
    command->bench.target.parley = &command->parley;
    command->bench.target.keys = *keys;
    return true;
}

int main(int argc, char **argv)
{
    static struct command command;
    struct keyring *keys = NULL;
    if (!read_options(argc, argv, &command)) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (!load_parley(&command, &keys))
        return EXIT_FAILURE;
    process_raise_descriptor_limit();
    net_init(&command.bench.net);
    bool fine = true;
    for (int i = optind; i < argc && fine; i++)
        fine = do_work(&command, argv[i]) && are_idle_there(&command.bench);
    work_idle_end(&command.bench);
    net_clear(&command.bench.net);
    keyring_free(keys);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
