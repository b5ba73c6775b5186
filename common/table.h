/*
 * table: uthash as our tables use it: running out of memory refuses one entry and does not end the
 * process. After HASH_ADD an entry that did not get in has no `hh.tbl`.
 */
#ifndef PARLEY_TABLE_H
#define PARLEY_TABLE_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#endif
