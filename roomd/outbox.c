/* What roomd has to tell; see outbox.h. */
#include "outbox.h"

#include "common/log.h"

_Static_assert(BUNDLE_PAYLOAD_MAX <= PAYLOAD_MAX, "link_publish takes a full bundle");
_Static_assert(BUNDLE_PAYLOAD_MAX >= TOPIC_MAX + OUTBOUND_MAX + 2,
               "an empty bundle takes every message of roomd's");

static const struct topic bundle_topic = {.kind = TOPIC_GATE_PUBLISH};

static void write_journal(struct outbox *outbox)
{
    for (const struct mail *note = outbox->journal.first; note != NULL; note = note->next) {
        log_info(note->payload, LOG_TEXT("room", note->topic.room),
                 LOG_TEXT("peer", note->topic.peer));
    }
    mailbox_clear(&outbox->journal);
}

static void send_bundle(struct outbox *outbox, struct link *link)
{
    if (outbox->bundle.len > 0) {
        link_publish(link, &bundle_topic, outbox->bundle.text, outbox->bundle.len);
        outbox->bundle.len = 0;
    }
}

void outbox_send(struct outbox *outbox, struct link *link, bool wakes)
{
    const bool has_mail = outbox->mail.first != NULL;
    write_journal(outbox);
    for (const struct mail *mail = outbox->mail.first; mail != NULL; mail = mail->next) {
        enum status status = bundle_add(&outbox->bundle, &mail->topic, mail->payload, mail->len);
        if (status == STATUS_TOO_LARGE) {
            send_bundle(outbox, link);
            status = bundle_add(&outbox->bundle, &mail->topic, mail->payload, mail->len);
        }
        if (status != STATUS_OK) {
            log_error("not-told", LOG_TEXT("event", topic_event(mail->topic.kind)),
                      LOG_TEXT("room", mail->topic.room), LOG_TEXT("why", status_id(status)));
        }
    }
    send_bundle(outbox, link);
    if (has_mail && wakes) {
        link_publish(link, &bundle_topic, "", 0);
    }
    mailbox_clear(&outbox->mail);
}

void outbox_clear(struct outbox *outbox)
{
    mailbox_clear(&outbox->mail);
    mailbox_clear(&outbox->journal);
}
