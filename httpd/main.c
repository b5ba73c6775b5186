/*
 * httpd: the pages, the rooms' and peers' HTTP interface and the probes (docs/protocol.md, "HTTP").
 *
 * One process, one thread, one poll loop: signals, libmicrohttpd's epoll descriptor, and a link to
 * each broker.
 */
#include "app.h"
#include "server.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/process.h"
#include "common/token.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

/* What is still on its way at the end may take this long. */
#define GOODBYE_MS 1000

/* ---- options ---- */

static const struct {
    struct option option;
    const char *argument;
    const char *text;
} options[] = {
    {{"config", required_argument, NULL, 'c'}, "FILE", "the configuration file"},
    {{"check", no_argument, NULL, 'n'}, "", "check configuration, keys and pages, then exit"},
    {{"help", no_argument, NULL, 'h'}, "", "show this and exit"},
    {{"version", no_argument, NULL, 'V'}, "", "show the version and exit"},
};

#define OPTION_COUNT (sizeof options / sizeof options[0])

static void print_usage(FILE *out)
{
    fputs("Usage: httpd [OPTION]...\nServes Parley's pages and its HTTP interface.\n\n", out);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        fprintf(out, "  -%c, --%s %-*s %s\n", options[i].option.val, options[i].option.name,
                (int)(14 - strlen(options[i].option.name)), options[i].argument, options[i].text);
    fputs("\nSIGTERM ends it in order, SIGHUP makes it read its keys and its certificate again.\n",
          out);
}

struct call {
    const char *config;
    bool check_only;
};

/* Reads the command line. Below 0: go on; else the exit status. */
static int read_options(int argc, char **argv, struct call *call)
{
    struct option longs[OPTION_COUNT + 1] = {0};
    int c;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        longs[i] = options[i].option;
    while ((c = getopt_long(argc, argv, "c:nhV", longs, NULL)) >= 0) {
        switch (c) {
        case 'c':
            call->config = optarg;
            break;
        case 'n':
            call->check_only = true;
            break;
        case 'h':
            print_usage(stdout);
            return EXIT_SUCCESS;
        case 'V':
            puts("httpd (Parley) " PARLEY_VERSION);
            return EXIT_SUCCESS;
        default:
            print_usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    print_usage(stderr);
    return EXIT_USAGE;
}

/* ---- signals ---- */

/* Signals arrive at the loop. -1 when that cannot be had. */
static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* The new keys replace the old ones only once they are read whole. */
static void reload_keys(struct app *app)
{
    char why[APP_WHY_MAX + 1];
    struct keyring *keyring = NULL;
    if (keyring_load(app->config.keys_file, &keyring, why, sizeof why) != STATUS_OK) {
        log_error("keys-not-reloaded", LOG_TEXT("why", why));
        return;
    }
    upstream_set_keyring(&app->upstream, keyring);
    keyring_free(app->keyring);
    app->keyring = keyring;
    log_info("keys-reloaded");
}

/* Connections that are open keep the certificate they have; the next get the new one, once it is
 * read whole. */
static void reload_tls(struct app *app)
{
    char why[APP_WHY_MAX + 1];
    struct tls *tls = NULL;
    if (!app->tls)
        return;
    if (tls_load(app->config.tls_cert, app->config.tls_key, &tls, why, sizeof why) != STATUS_OK) {
        log_error("certificate-not-reloaded", LOG_TEXT("why", why));
        return;
    }
    tls_use(tls);
    tls_free(app->tls);
    app->tls = tls;
    log_info("certificate-reloaded");
}

/* Handles the signals that have arrived. True when the process is to end. */
static bool take_signals(struct app *app, int fd)
{
    struct signalfd_siginfo info;
    bool end = false;
    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            reload_keys(app);
            reload_tls(app);
        } else {
            end = true;
        }
    }
    return end;
}

/* ---- the loop ---- */

/* Waits for something to do, at most until `deadline`, and does it. True when the process is to
 * end. */
static bool turn(struct app *app, int signal_fd, int64_t deadline)
{
    struct pollfd fds[2 + BROKERS_MAX] = {{.fd = signal_fd, .events = POLLIN},
                                          {.fd = server_fd(app->server), .events = POLLIN}};
    int64_t now = clock_monotonic_ms();
    const int64_t deadlines[] = {upstream_prepare(&app->upstream, fds + 2, now),
                                 server_deadline(app->server, now),
                                 pending_sweep(&app->pending, now)};
    for (size_t i = 0; i < sizeof deadlines / sizeof deadlines[0]; i++) {
        if (deadlines[i] < deadline)
            deadline = deadlines[i];
    }
    int64_t wait = deadline > now ? deadline - now : 0;
    if (poll(fds, 2 + app->upstream.count, wait > INT_MAX ? INT_MAX : (int)wait) < 0)
        return errno != EINTR;
    now = clock_monotonic_ms();
    bool end = (fds[0].revents & POLLIN) && take_signals(app, signal_fd);
    upstream_service(&app->upstream, fds + 2, now);
    pending_sweep(&app->pending, now);
    server_run(app->server, now);
    return end;
}

static void say_goodbye(struct app *app, int signal_fd)
{
    int64_t until = clock_monotonic_ms() + GOODBYE_MS;
    server_quiesce(app->server);
    pending_end(&app->pending, clock_monotonic_ms());
    server_run(app->server, clock_monotonic_ms());
    while (!server_is_idle(app->server) && clock_monotonic_ms() < until)
        turn(app, signal_fd, until);
    pending_end(&app->pending, clock_monotonic_ms());
    server_run(app->server, clock_monotonic_ms());
}

/*
 * Gives up root's rights once the port is bound. What SIGHUP reads again has to be readable from
 * now on too: better not to start than to find that out in the middle of a rotation.
 */
static bool become_user(const struct config *config)
{
    const char *const files[] = {config->keys_file, config->tls_cert, config->tls_key};
    char why[APP_WHY_MAX + 1];
    if (process_become(config->user, why, sizeof why) != STATUS_OK) {
        log_error("not-started", LOG_TEXT("why", why));
        return false;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i][0] && access(files[i], R_OK) < 0) {
            log_error("not-readable", LOG_TEXT("user", config->user), LOG_TEXT("file", files[i]),
                      LOG_TEXT("why", strerror(errno)));
            return false;
        }
    }
    return true;
}

static int run(struct app *app)
{
    char why[APP_WHY_MAX + 1];
    int result = EXIT_FAILURE;
    int signal_fd = open_signals();
    pending_init(&app->pending);
    TAILQ_INIT(&app->ready.asking);
    if (signal_fd < 0) {
        log_error("signals-not-opened", LOG_TEXT("why", strerror(errno)));
        return EXIT_FAILURE;
    }
    if (upstream_init(&app->upstream, &app->config, app->keyring, &app->pending) != STATUS_OK) {
        log_error("no-memory");
        goto done;
    }
    app->server = server_new(app, why);
    if (!app->server) {
        log_error("not-listening", LOG_TEXT("why", why));
        goto done;
    }
    if (!become_user(&app->config))
        goto done;
    log_info("listening", LOG_TEXT("address", app->config.http_listen),
             LOG_NUMBER("port", app->config.http_port), LOG_TEXT("version", PARLEY_VERSION));
    while (!turn(app, signal_fd, INT64_MAX))
        ;
    log_info("ending");
    say_goodbye(app, signal_fd);
    result = EXIT_SUCCESS;
done:
    server_free(app->server);
    upstream_clear(&app->upstream);
    close(signal_fd);
    return result;
}

int main(int argc, char **argv)
{
    static struct app app;
    struct call call = {0};
    char why[APP_WHY_MAX + 1];
    int result = read_options(argc, argv, &call);
    if (result >= 0)
        return result;
    process_forbid_core_dumps();
    if (config_load(call.config, &app.config, why) != STATUS_OK ||
        app_load(&app, why) != STATUS_OK) {
        log_error("not-started", LOG_TEXT("why", why));
        result = EXIT_FAILURE;
    } else if (call.check_only) {
        puts("httpd: the configuration is fine");
        result = EXIT_SUCCESS;
    } else {
        log_set_level((enum log_level)app.config.log_level);
        process_raise_descriptor_limit();
        result = run(&app);
    }
    app_unload(&app);
    return result;
}
