/* Messages as events; see intake.h. */
#include "intake.h"

#include "common/messages.h"

#include <string.h>

/* What the seat in a join proves, if anything: it has to be this peer's, in this room. */
static void show_seat(const struct intake *intake, const struct topic *topic,
                      const struct msg_join *join, struct room_event *event)
{
    struct seat_claims seat;
    if (join->seat[0] == '\0' ||
        seat_verify(intake->keyring, join->seat, strlen(join->seat), &seat) != STATUS_OK ||
        strcmp(seat.peer_id, topic->peer) != 0 || strcmp(seat.room, topic->room) != 0) {
        return;
    }
    event->has_seat = true;
    event->seat_resumes = strcmp(seat.session, join->session) == 0;
    event->seat_rev = seat.rev;
}

static enum status take_join(struct intake *intake, const struct topic *topic, struct payload in,
                             int64_t now, struct msg_fault *fault)
{
    struct msg_join join;
    intake->stats->joins++;
    enum status status = msg_decode_join(in, &join, fault);
    if (status != STATUS_OK) {
        return status;
    }
    struct room_event event = {.kind = ROOM_EVENT_JOIN,
                               .peer_id = topic->peer,
                               .session = join.session,
                               .peer_name = join.peer_name};
    show_seat(intake, topic, &join, &event);
    rooms_event(intake->rooms, topic->room, &event, now);
    return STATUS_OK;
}

static enum status take_cut(struct intake *intake, const struct topic *topic, struct payload in,
                            int64_t now, struct msg_fault *fault)
{
    struct msg_session cut;
    intake->stats->cuts++;
    enum status status = msg_decode_cut(in, &cut, fault);
    if (status == STATUS_OK) {
        const struct room_event event = {
            .kind = ROOM_EVENT_CUT, .peer_id = topic->peer, .session = cut.session};
        rooms_event(intake->rooms, topic->room, &event, now);
    }
    return status;
}

static enum status take_gone(struct intake *intake, const struct topic *topic, struct payload in,
                             int64_t now, struct msg_fault *fault)
{
    struct msg_session gone;
    intake->stats->gones++;
    enum status status = msg_decode_gone(in, &gone, fault);
    if (status == STATUS_OK) {
        const struct room_event event = {
            .kind = ROOM_EVENT_GONE, .peer_id = topic->peer, .session = gone.session};
        rooms_event(intake->rooms, topic->room, &event, now);
    }
    return status;
}

/* Answers its faults itself: the lobby's errors name the request. */
static enum status take_create_room(struct intake *intake, const struct topic *topic,
                                    struct payload in, int64_t now, struct msg_fault *fault)
{
    struct msg_create_room create = {0};
    enum status status = msg_decode_create_room(in, &create, fault);
    if (status != STATUS_OK) {
        replies_lobby_error(intake->replies, topic->peer, create.request, status, fault->why);
        return STATUS_OK;
    }
    if (create.dry_run) {
        rooms_try_create(intake->rooms, topic->peer, create.request, create.room_id);
    } else {
        rooms_create(intake->rooms, topic->peer, create.request, create.room_id, now);
    }
    return STATUS_OK;
}

typedef enum status (*taker)(struct intake *intake, const struct topic *topic, struct payload in,
                             int64_t now, struct msg_fault *fault);

static const taker takers[TOPIC_KIND_COUNT] = {
    [TOPIC_JOIN] = take_join,
    [TOPIC_CUT_REQUEST] = take_cut,
    [TOPIC_GONE] = take_gone,
    [TOPIC_CREATE_ROOM] = take_create_room,
};

bool intake_wants(enum topic_kind kind)
{
    return takers[kind] != NULL;
}

void intake_take(struct intake *intake, const struct mail *mail, int64_t now)
{
    struct msg_fault fault = {0};
    const struct payload in = {.text = mail->payload, .len = mail->len};
    intake->stats->messages++;
    enum status status = takers[mail->topic.kind](intake, &mail->topic, in, now, &fault);
    if (status != STATUS_OK) {
        replies_room_error(intake->replies, &mail->topic, status, fault.why, 0);
    }
}
