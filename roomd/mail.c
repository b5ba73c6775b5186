/* Lists of messages; see mail.h. */
#include "mail.h"

#include <stdlib.h>
#include <string.h>

void mailbox_add(struct mailbox *box, const struct topic *topic, const char *payload, size_t len)
{
    struct mail *mail = malloc(sizeof(*mail) + len + 1);
    if (mail == NULL) {
        abort(); /* as in ledger.c: the store has what was promised */
    }
    mail->next = NULL;
    mail->topic = *topic;
    mail->len = len;
    memcpy(mail->payload, payload, len);
    mail->payload[len] = '\0';
    if (box->last != NULL) {
        box->last->next = mail;
    } else {
        box->first = mail;
    }
    box->last = mail;
}

void mailbox_clear(struct mailbox *box)
{
    while (box->first != NULL) {
        struct mail *next = box->first->next;
        free(box->first);
        box->first = next;
    }
    box->last = NULL;
}
