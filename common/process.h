/*
 * process: what a process gives up for good, before anything from outside reaches it: root's
 * rights, and leaving its memory, which holds keys, in a core dump.
 *
 * The broker gives up root's rights by itself (`user` in mosquitto.conf); the gate does the rest
 * for it.
 */
#ifndef PARLEY_PROCESS_H
#define PARLEY_PROCESS_H

#include "status.h"

#include <stddef.h>

/*
 * Becomes `user`, with the groups of that user and no others, when the effective user is root, and
 * sees to it that there is no way back. "" and "root" stay root; whoever is not root stays as well.
 * No program that is executed from here on has more rights than this one. STATUS_INTERNAL, with a
 * sentence in `why` (NUL-terminated, `why_size` bytes), when `user` is unknown, has root's id under
 * another name, or something cannot be given up: the process must not go on then.
 */
enum status process_become(const char *user, char *why, size_t why_size);

/*
 * No core dump of this process, and no other process of its user that attaches to it or reads its
 * memory. Has to be called before a key is read. (A process that becomes another user is as before
 * in this respect: process_become sees to that.)
 */
void process_forbid_core_dumps(void);

/* No program that is executed from here on has more rights than this one. */
void process_forbid_new_rights(void);

/* Every connection is a descriptor: the kernel's hard limit, not the shell's soft one, is what
 * counts from here on. */
void process_raise_descriptor_limit(void);

#endif
