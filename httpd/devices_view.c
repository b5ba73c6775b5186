#include "devices_view.h"

enum status devices_view_take(struct mirror *devices, const char *device_id, struct payload payload)
{
    enum device_state state = DEVICE_OFFLINE;
    struct msg_fault fault;
    if (payload.len > 0 && msg_decode_device_status(payload, &state, &fault) != STATUS_OK)
        return STATUS_BAD_REQUEST;
    /* Only those who are there are worth memory: a device that is offline and one never heard of
     * are the same here. */
    if (state != DEVICE_OFFLINE)
        return mirror_put(devices, device_id);
    mirror_drop(devices, device_id);
    return STATUS_OK;
}

bool devices_view_is_reachable(const struct mirror *devices, const char *device_id)
{
    return mirror_has(devices, device_id);
}
