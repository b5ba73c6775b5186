/*
 * messages_words: words of the wire that both the reading and the writing half of messages.h need,
 * by their enum's value.
 */
#ifndef PARLEY_MESSAGES_WORDS_H
#define PARLEY_MESSAGES_WORDS_H

extern const char *const msg_peer_states[2]; /* by `away` */
extern const char *const msg_roomd_states[3];

#endif
