/* Effects as messages; see replies.h. */
#include "replies.h"

#include "common/log.h"
#include "common/messages.h"

#include <stdio.h>
#include <string.h>

static void copy_id(char *out, size_t size, const char *id)
{
    snprintf(out, size, "%s", id);
}

/* Posts what an encoder wrote. An encoder that found no place has a defect, and an empty payload
 * would clear a retained topic: say nothing then. */
static void post(struct replies *replies, enum topic_kind kind, const char *room_id,
                 const char *peer_id, const char *text, size_t len)
{
    struct topic topic = {.kind = kind};
    copy_id(topic.room, sizeof(topic.room), room_id);
    copy_id(topic.peer, sizeof(topic.peer), peer_id);
    if (len == 0) {
        log_error("reply-too-long", LOG_TEXT("event", topic_event(kind)));
        return;
    }
    mailbox_add(replies->out, &topic, text, len);
}

static struct msg_room public_room(const struct room *room)
{
    struct msg_room out = {
        .rev = room->rev, .max_peers = ROOM_PEERS_MAX, .peer_count = room->peer_count};
    copy_id(out.room_id, sizeof(out.room_id), room->id);
    for (unsigned i = 0; i < room->peer_count; i++) {
        copy_id(out.peers[i].peer_id, sizeof(out.peers[i].peer_id), room->peers[i].id);
        copy_id(out.peers[i].peer_name, sizeof(out.peers[i].peer_name), room->peers[i].name);
        out.peers[i].away = room->peers[i].state == PEER_AWAY;
    }
    return out;
}

void replies_state(struct replies *replies, const struct room *room)
{
    char text[OUTBOUND_MAX];
    struct msg_room public = public_room(room);
    post(replies, TOPIC_ROOM_STATE, room->id, "", text,
         msg_encode_room(&public, text, sizeof(text)));
}

/* For those who do not listen to every state (httpd): that a room has come into being, or has
 * ended. After its state, which is what they look for then. */
static void post_exists(struct replies *replies, const char *room_id, bool exists)
{
    char text[OUTBOUND_MAX];
    post(replies, TOPIC_ROOM_EXISTS, room_id, "", text,
         msg_encode_room_exists(exists, text, sizeof(text)));
}

void replies_ended(struct replies *replies, const char *room_id)
{
    struct topic topic = {.kind = TOPIC_ROOM_STATE};
    copy_id(topic.room, sizeof(topic.room), room_id);
    mailbox_add(replies->out, &topic, "", 0);
    post_exists(replies, room_id, false);
}

/* ---- one poster for each effect of a room ---- */

static void post_state(struct replies *replies, const struct rooms_effect *effect)
{
    replies_state(replies, effect->room);
    if (effect->created) {
        post_exists(replies, effect->room_id, true);
    }
}

static void post_joined(struct replies *replies, const struct rooms_effect *effect)
{
    const struct room_effect *step = effect->step;
    char text[OUTBOUND_MAX];
    char seat[SEAT_MAX + 1];
    struct msg_room public = public_room(effect->room);
    struct seat_claims claims = {.rev = step->seat_rev, .issued_at = replies->wall_s};
    copy_id(claims.peer_id, sizeof(claims.peer_id), step->peer);
    copy_id(claims.session, sizeof(claims.session), step->session);
    copy_id(claims.room, sizeof(claims.room), effect->room_id);
    if (seat_sign(replies->keyring, &claims, seat) != STATUS_OK) {
        log_error("seat-not-signed", LOG_TEXT("room", effect->room_id));
        return;
    }
    *(step->resumed ? &replies->stats->resumed : &replies->stats->joined) += 1;
    post(replies, TOPIC_JOINED, effect->room_id, step->peer, text,
         msg_encode_joined(step->session, step->resumed, seat, &public, text, sizeof(text)));
}

static void post_full_room(struct replies *replies, const struct rooms_effect *effect)
{
    char text[OUTBOUND_MAX];
    replies->stats->full_room++;
    post(replies, TOPIC_FULL_ROOM, effect->room_id, effect->step->peer, text,
         msg_encode_full_room(effect->step->session, ROOM_PEERS_MAX, text, sizeof(text)));
}

static void post_user_arrived(struct replies *replies, const struct rooms_effect *effect)
{
    const struct room_effect *step = effect->step;
    char text[OUTBOUND_MAX];
    post(replies, TOPIC_USER_ARRIVED, effect->room_id, step->peer, text,
         msg_encode_user_arrived(step->about, step->about_name, step->resumed, text, sizeof(text)));
}

static void post_user_away(struct replies *replies, const struct rooms_effect *effect)
{
    char text[OUTBOUND_MAX];
    post(replies, TOPIC_USER_AWAY, effect->room_id, effect->step->peer, text,
         msg_encode_user_away(effect->step->about, replies->grace_s, text, sizeof(text)));
}

static void post_cut(struct replies *replies, const struct rooms_effect *effect)
{
    char text[OUTBOUND_MAX];
    replies->stats->lost += strcmp(effect->step->reason, CUT_LOST) == 0;
    post(replies, TOPIC_CUT_NOTICE, effect->room_id, effect->step->peer, text,
         msg_encode_cut(effect->step->about, effect->step->reason, text, sizeof(text)));
}

static void post_error(struct replies *replies, const struct rooms_effect *effect)
{
    /* The rules refuse nothing but joins. */
    struct topic request = {.kind = TOPIC_JOIN};
    copy_id(request.room, sizeof(request.room), effect->room_id);
    copy_id(request.peer, sizeof(request.peer), effect->step->peer);
    replies_room_error(replies, &request, effect->step->error, status_detail(effect->step->error),
                       effect->step->retry_s);
}

static void (*const step_posters[])(struct replies *, const struct rooms_effect *) = {
    [EFFECT_STATE] = post_state,         [EFFECT_JOINED] = post_joined,
    [EFFECT_FULL_ROOM] = post_full_room, [EFFECT_USER_ARRIVED] = post_user_arrived,
    [EFFECT_USER_AWAY] = post_user_away, [EFFECT_CUT] = post_cut,
    [EFFECT_ERROR] = post_error,
};

/* ---- the lobby, and rooms as a whole ---- */

static void note(struct replies *replies, const char *event, const char *room_id,
                 const char *peer_id)
{
    struct topic about = {.kind = TOPIC_ROOM_STATE};
    if (replies->journal != NULL) {
        copy_id(about.room, sizeof(about.room), room_id);
        copy_id(about.peer, sizeof(about.peer), peer_id);
        mailbox_add(replies->journal, &about, event, strlen(event));
    }
}

static void post_created(struct replies *replies, const struct rooms_effect *effect)
{
    char text[OUTBOUND_MAX];
    struct msg_room_created message = {.created = effect->created};
    copy_id(message.request, sizeof(message.request), effect->request);
    copy_id(message.room_id, sizeof(message.room_id), effect->room_id);
    if (effect->created) {
        replies->stats->creates++;
        note(replies, "room-created", effect->room_id, effect->peer_id);
    }
    post(replies, TOPIC_ROOM_CREATED, "", effect->peer_id, text,
         msg_encode_room_created(&message, text, sizeof(text)));
}

static void post_closed(struct replies *replies, const struct rooms_effect *effect)
{
    replies->stats->closes++;
    note(replies, "room-closed", effect->room_id, "");
    replies_ended(replies, effect->room_id);
}

static void post_refused(struct replies *replies, const struct rooms_effect *effect)
{
    /* An id of another form never gets to the rules. */
    const char *detail = effect->error == STATUS_BAD_ROOM_ID
                             ? "A room of that id belongs to another broker."
                             : status_detail(effect->error);
    replies_lobby_error(replies, effect->peer_id, effect->request, effect->error, detail);
}

void replies_emit(void *ctx, const struct rooms_effect *effect)
{
    struct replies *replies = ctx;
    switch (effect->kind) {
    case ROOMS_STEP:
        log_debug("effect", LOG_NUMBER("kind", effect->step->kind),
                  LOG_TEXT("room", effect->room_id), LOG_TEXT("peer", effect->step->peer));
        step_posters[effect->step->kind](replies, effect);
        break;
    case ROOMS_CREATED:
        post_created(replies, effect);
        break;
    case ROOMS_REFUSED:
        post_refused(replies, effect);
        break;
    case ROOMS_CLOSED:
        post_closed(replies, effect);
        break;
    }
}

void replies_room_error(struct replies *replies, const struct topic *request, enum status error,
                        const char *detail, unsigned retry_s)
{
    char text[OUTBOUND_MAX];
    replies->stats->errors[error]++;
    log_debug("refused", LOG_TEXT("event", topic_event(request->kind)),
              LOG_TEXT("room", request->room), LOG_TEXT("peer", request->peer),
              LOG_TEXT("error", status_id(error)));
    post(replies, TOPIC_ROOM_ERROR, request->room, request->peer, text,
         msg_encode_room_error(error, detail, topic_event(request->kind), retry_s, text,
                               sizeof(text)));
}

void replies_lobby_error(struct replies *replies, const char *peer_id, const char *id,
                         enum status error, const char *detail)
{
    char text[OUTBOUND_MAX];
    replies->stats->errors[error]++;
    log_debug("refused", LOG_TEXT("event", topic_event(TOPIC_CREATE_ROOM)),
              LOG_TEXT("peer", peer_id), LOG_TEXT("error", status_id(error)));
    post(replies, TOPIC_LOBBY_ERROR, "", peer_id, text,
         msg_encode_lobby_error(id, error, detail, text, sizeof(text)));
}
