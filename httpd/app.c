#include "app.h"

#include "common/clock.h"

#include <stdio.h>
#include <string.h>

static enum status load_turn(struct app *app, char why[static APP_WHY_MAX + 1])
{
    const struct config *config = &app->config;
    if (config->turn_secret_file[0])
        return turn_secret_load(config->turn_secret_file, &app->turn_secret, why, APP_WHY_MAX + 1);
    if (!ice_needs_secret(config->turn_urls))
        return STATUS_OK;
    snprintf(why, APP_WHY_MAX + 1, "[turn] urls names a turn: server, but there is no secret_file");
    return STATUS_INTERNAL;
}

static enum status load_tls(struct app *app, char why[static APP_WHY_MAX + 1])
{
    const struct config *config = &app->config;
    if (!config->tls_cert[0])
        return STATUS_OK;
    return tls_load(config->tls_cert, config->tls_key, &app->tls, why, APP_WHY_MAX + 1);
}

static enum status load_pages(struct app *app, char why[static APP_WHY_MAX + 1])
{
    const char *root = app->config.http_web_root;
    enum status status = pages_load(root, &app->pages, why, APP_WHY_MAX + 1);
    if (status != STATUS_OK)
        return status;
    app->index_page = pages_find(app->pages, "/index.html");
    app->call_page = pages_find(app->pages, "/videocall.html");
    if (app->index_page && app->call_page)
        return STATUS_OK;
    snprintf(why, APP_WHY_MAX + 1, "%s: index.html or videocall.html is missing", root);
    return STATUS_INTERNAL;
}

static enum status check_addresses(const struct app *app, char why[static APP_WHY_MAX + 1])
{
    struct site site;
    if (!site_of_request("localhost", app->config.http_public_url, false, &site))
        snprintf(why, APP_WHY_MAX + 1, "[http] public_url is not scheme://host[:port]");
    else if (!reply_policy_fits(&app->config))
        snprintf(why, APP_WHY_MAX + 1,
                 "the brokers' ws_url are not of the form, or too long for one header field");
    else
        return STATUS_OK;
    return STATUS_INTERNAL;
}

enum status app_load(struct app *app, char why[static APP_WHY_MAX + 1])
{
    wall_read(&app->wall, clock_wall_s(), clock_monotonic_ms());
    enum status status = check_addresses(app, why);
    if (callers_init(&app->callers, &app->config) != STATUS_OK) {
        snprintf(why, APP_WHY_MAX + 1, "there is no memory");
        return STATUS_INTERNAL;
    }
    if (status == STATUS_OK)
        status = keyring_load(app->config.keys_file, &app->keyring, why, APP_WHY_MAX + 1);
    if (status == STATUS_OK)
        status = load_tls(app, why);
    if (status == STATUS_OK)
        status = load_turn(app, why);
    return status == STATUS_OK ? load_pages(app, why) : status;
}

enum status app_verify(struct app *app, const char *token, size_t len, struct token_claims *out)
{
    wall_read(&app->wall, clock_wall_s(), clock_monotonic_ms());
    enum status status = token_verify(app->keyring, token, len, app->wall.now_s, out);
    if (status == STATUS_TOKEN_EXPIRED)
        status =
            token_verify(app->keyring, token, len, wall_since(&app->wall, out->issued_at), out);
    return status;
}

void app_unload(struct app *app)
{
    keyring_free(app->keyring);
    tls_use(NULL);
    tls_free(app->tls);
    pages_free(app->pages);
    callers_clear(&app->callers);
    explicit_bzero(&app->turn_secret, sizeof app->turn_secret);
    app->keyring = NULL;
    app->tls = NULL;
    app->pages = NULL;
}
