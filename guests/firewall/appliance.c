/*
 * From a text of rules to a firewall that runs, and its last words.
 *
 * Read next: packet.h, with which a frame's way begins.
 */
#include "appliance.h"

#include "forward.h"
#include "guest.h"
#include "report.h"

#define CONNECTIONS 65536u

static struct filter filter = {.log = report_log};

int firewall(const char *text, size_t length)
{
    struct mistake mistake;
    uint64_t key[2];
    if (!rules_read(&filter.rules, text, length, &mistake)) {
        report_mistake(&mistake);
        return 1;
    }
    memcpy(key, boot_info->entropy_seed, sizeof key);
    track_init(&filter.track, allocate(TRACK_SIZE(CONNECTIONS)), CONNECTIONS, key);
    print("firewall: %u rules; what none of them allows is denied. Enter shows counts, q ends.\n", filter.rules.count);
    int status = forward(&filter);
    report_counts(&filter, clock_now());
    return status;
}
