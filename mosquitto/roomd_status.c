#include "roomd_status.h"

#include "say.h"

#include "common/topics.h"

#include <string.h>

/* Where `who` is told. False for those who read `roomd/status` itself: services and operators. */
static bool inbox_of(const struct access_who *who, struct topic *out)
{
    *out = (struct topic){.kind = TOPIC_NONE};
    if (who->role == ROLE_PEER)
        out->kind = TOPIC_PEER_ROOMD_STATUS;
    else if (who->role == ROLE_DEVICE)
        out->kind = TOPIC_DEVICE_ROOMD_STATUS;
    else
        return false;
    strcpy(out->room, who->room);
    strcpy(out->peer, who->peer_id);
    return true;
}

static void tell(void *ctx, const struct client *client)
{
    const struct roomd_status *status = ctx;
    struct topic topic;
    if (status->len > 0 && client->hears == HEARS_INBOX && inbox_of(&client->who, &topic))
        say_roomd_status(&topic, (struct payload){status->text, status->len});
}

void roomd_status_learn(struct roomd_status *status, const struct clients *clients,
                        struct payload payload)
{
    if (!payload.text || payload.len == 0 || payload.len > sizeof status->text ||
        (payload.len == status->len && memcmp(payload.text, status->text, payload.len) == 0))
        return;
    memcpy(status->text, payload.text, payload.len);
    status->len = payload.len;
    clients_each(clients, tell, status);
}

void roomd_status_note(struct clients *clients, struct client *client, const char *filter)
{
    char name[TOPIC_MAX + 1];
    struct topic topic;
    unsigned char hears = 0;
    if (!inbox_of(&client->who, &topic) || !topic_format(&topic, name))
        return;
    if (topic_filter_within(name, filter))
        hears = HEARS_INBOX;
    else if (strcmp(filter, TOPIC_ROOT "roomd/status") == 0)
        hears = HEARS_STATUS;
    else
        return;
    /* What an earlier connection subscribed to may be gone with its session; who says one anew says
     * all. */
    client->hears = client->is_new ? hears : client->hears | hears;
    client->is_new = false;
    if (hears == HEARS_INBOX)
        clients_ask(clients, client);
}

void roomd_status_answer(struct roomd_status *status, struct clients *clients)
{
    clients_answer(clients, tell, status);
}
