/*
 * The implementation of filter.h.
 *
 * Read next: report.h.
 */
#include "filter.h"

const char *reason_name(enum reason reason)
{
    static const char *const names[REASONS] = {
        [KIND_SHORT] = "cut short",
        [KIND_MALFORMED] = "malformed",
        [KIND_FRAGMENT] = "fragment",
        [KIND_OPTIONS] = "IPv4 options",
        [KIND_VLAN] = "VLAN tag",
        [KIND_IPV6] = "IPv6",
        [KIND_OTHER] = "another protocol than ARP and IPv4",
        [REASON_NO_RULE] = "no rule allows it",
        [REASON_NO_CONNECTION] = "TCP without a connection",
        [REASON_TOO_LONG] = "too long for the other network",
        [REASON_LINK_DOWN] = "the other network is down",
        [REASON_NOT_TAKEN] = "not taken by the other network",
    };
    return names[reason];
}

void filter_lost(struct filter *filter, enum reason reason, size_t length)
{
    filter->lost[reason].frames++;
    filter->lost[reason].bytes += length;
}

static void count(struct rule *rule, size_t length)
{
    rule->frames++;
    rule->bytes += length;
}

/* The way that a connection's first packet went counts as that packet did. */
static void count_connection(struct rule *rule, const struct connection *connection, enum direction direction, size_t length)
{
    if (connection->opener == direction)
        rule->frames++;
    else
        rule->replies++;
    rule->bytes += length;
}

static bool allow(struct filter *filter, uint16_t rule, const struct packet *packet, enum direction direction, size_t length,
                  uint64_t now)
{
    if (!track_may_begin(packet)) {
        filter_lost(filter, REASON_NO_CONNECTION, length);
        return false;
    }
    count(&filter->rules.list[rule], length);
    track_begin(&filter->track, packet, direction, rule, now);
    return true;
}

bool filter_passes(struct filter *filter, const uint8_t *frame, size_t length, enum direction direction, uint64_t now)
{
    struct packet packet = packet_read(frame, length);
    if (packet.kind > KIND_ARP) {
        filter_lost(filter, (enum reason)packet.kind, length);
        return false;
    }
    const struct connection *connection = track_find(&filter->track, &packet, direction, now);
    if (connection != NULL) {
        count_connection(&filter->rules.list[connection->rule], connection, direction, length);
        return true;
    }
    for (unsigned index = 0; index < filter->rules.count; index++) {
        struct rule *rule = &filter->rules.list[index];
        if (!rule_matches(rule, &packet, direction))
            continue;
        if (rule->action == ALLOW)
            return allow(filter, (uint16_t)index, &packet, direction, length, now);
        count(rule, length);
        if (rule->action == DENY)
            return false;
        filter->log(rule, &packet, direction, length);
    }
    filter_lost(filter, REASON_NO_RULE, length);
    return false;
}
