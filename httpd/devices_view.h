/*
 * devices_view: which devices are there, from `devices/+/status`.
 */
#ifndef PARLEY_HTTPD_DEVICES_VIEW_H
#define PARLEY_HTTPD_DEVICES_VIEW_H

#include "common/messages.h"
#include "mirror.h"

/* Takes in one status of `device_id`; an empty payload forgets it. STATUS_BAD_REQUEST when it is
 * none: nothing changes then. */
enum status devices_view_take(struct mirror *devices, const char *device_id,
                              struct payload payload);

/* Is the device there to be rung, online or in a call? */
bool devices_view_is_reachable(const struct mirror *devices, const char *device_id);

#endif
