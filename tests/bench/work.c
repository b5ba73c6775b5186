#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_MS   100
#define STALLS_NS INT64_C(20000000000) /* what has long failed to come will not come */

/* ---- what is sent ---- */

const char *work_sdp(void)
{
    static char sdp[SDP_BYTES + 1];
    static const char line[] = "a=rtpmap:96 VP8/90000\\r\\n";
    if (sdp[0])
        return sdp;
    for (size_t i = 0; i < SDP_BYTES; i++)
        sdp[i] = line[i % (sizeof line - 1)];
    sdp[SDP_BYTES - 1] = 'n'; /* no escape is cut in two */
    sdp[SDP_BYTES - 2] = '\\';
    return sdp;
}

static void add_candidate(struct buffer *text, unsigned index)
{
    char one[256];
    snprintf(one, sizeof one,
             "%s{\"candidate\":\"candidate:84216304%u 1 udp 1677729535 192.0.2.7 5432%u typ srflx "
             "raddr 198.51.100.4 rport 5432%u generation 0 ufrag aBcD network-cost 999\","
             "\"sdpMid\":\"0\",\"sdpMLineIndex\":0}",
             index > 0 ? "," : "", index, index, index);
    buffer_add_text(text, one);
}

const char *work_candidates(unsigned count, size_t *len)
{
    static struct buffer texts[CANDIDATES_EACH + 1];
    struct buffer *text = &texts[count];
    const bool is_made = text->len > 0;
    for (unsigned i = 0; !is_made && i < count; i++)
        add_candidate(text, i);
    *len = text->len;
    return text->bytes;
}

void work_room_name(unsigned index, char out[static ROOM_ID_MAX + 1])
{
    snprintf(out, ROOM_ID_MAX + 1, "bench-%u", index);
}

/* ---- the loop ---- */

void work_saw(struct bench *bench, const struct peer *peer, enum saw what)
{
    bench->moved = monotonic_ns();
    if (what == SAW_LOST)
        bench->fault = peer->why;
}

bool work_until(struct bench *bench, bool (*done)(void *ctx), void *ctx, const char *what)
{
    bench->moved = monotonic_ns();
    while (!bench->fault && !done(ctx)) {
        net_turn(&bench->net, TURN_MS);
        if (bench->idle)
            work_idle_keep(bench->idle);
        if (monotonic_ns() - bench->moved > STALLS_NS)
            bench->fault = "does not go on";
    }
    if (bench->fault)
        fprintf(stderr, "loadgen: %s: %s\n", what, bench->fault);
    return !bench->fault;
}
