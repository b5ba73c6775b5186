#include "admission.h"

#include "common/ids.h"

#include <string.h>

/* As mosquitto_client_protocol_version counts. */
#define MQTT_3_1_1 4
#define MQTT_5     5

const char *admission_name(enum admission admission)
{
    static const char *const names[ADMISSION_COUNT] = {
#define ADMISSION_NAME(symbol, name) [symbol] = name,
        ADMISSION_TABLE(ADMISSION_NAME)
#undef ADMISSION_NAME
    };
    return (unsigned)admission < ADMISSION_COUNT ? names[admission] : "unknown";
}

enum admission admission_decide(const struct admission_request *request,
                                const struct keyring *keyring, int64_t now,
                                struct token_claims *claims)
{
    const char *id = request->client_id;
    if (request->protocol_version != MQTT_3_1_1 && request->protocol_version != MQTT_5)
        return ADMISSION_PROTOCOL;
    if (!id || peer_id_role(id, strlen(id)) == ROLE_NONE)
        return ADMISSION_BAD_ID;
    if (!request->user_name || !request->password)
        return ADMISSION_NO_TOKEN;
    if (strcmp(request->user_name, id) != 0)
        return ADMISSION_OTHERS_ID;
    switch (token_verify(keyring, request->password, strlen(request->password), now, claims)) {
    case STATUS_OK:
        break;
    case STATUS_TOKEN_EXPIRED:
        return ADMISSION_EXPIRED;
    default:
        return ADMISSION_BAD_TOKEN;
    }
    if (strcmp(claims->peer_id, id) != 0)
        return ADMISSION_OTHERS_ID;
    if (request->keepalive < KEEPALIVE_MIN_S || request->keepalive > KEEPALIVE_MAX_S)
        return ADMISSION_KEEPALIVE;
    return ADMISSION_GRANTED;
}

bool admission_may_stay(const struct client *client, const char *password,
                        const struct keyring *keyring, int64_t now)
{
    /*
     * A session without a connection is asked for a good token when it comes back: to refuse it
     * here makes Mosquitto 2.0 count it as ended twice, which corrupts its memory. But the broker
     * may by now have given the pointer to a newcomer that only says who it is: a session has its
     * token.
     */
    if (!client->connected)
        return client_came_with(client, password);
    if (client->expires_at <= now)
        return true;
    struct token_claims claims;
    return password && token_verify(keyring, password, strlen(password), now, &claims) == STATUS_OK;
}
