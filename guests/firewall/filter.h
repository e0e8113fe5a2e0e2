/*
 * What becomes of a frame: connections first, then the rules in order, and what no rule allows is denied. And what became of
 * those before, in numbers.
 *
 * Read next: filter.c.
 */
#ifndef FIREWALL_FILTER_H
#define FIREWALL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"
#include "rules.h"
#include "track.h"

/* Why a frame did not arrive that no rule denied: first the kinds that no rule matches, by their numbers. */
enum reason {
    REASON_NO_RULE = KINDS,
    REASON_NO_CONNECTION, /* a rule allows it, but it is of a TCP connection whose beginning was not seen */
    REASON_TOO_LONG,      /* for the network on the other side */
    REASON_LINK_DOWN,     /* the host has the network on the other side down */
    REASON_NOT_TAKEN,     /* the network on the other side failed to send it */
    REASONS,
};

struct tally {
    uint64_t frames, bytes;
};

struct filter {
    struct rules rules;
    struct track track;
    struct tally lost[REASONS];
    void (*log)(const struct rule *rule, const struct packet *packet, enum direction direction, size_t length);
};

/* Whether a frame may go on; now is in ns. */
bool filter_passes(struct filter *filter, const uint8_t *frame, size_t length, enum direction direction, uint64_t now);

/* Counts a frame that did not arrive. */
void filter_lost(struct filter *filter, enum reason reason, size_t length);

/* What a reason is called. */
const char *reason_name(enum reason reason);

#endif
