/*
 * Connections that rules have allowed, so that their replies pass without a rule: who talks with whom, and what was seen of it.
 *
 * The table is of a fixed size. A connection leaves it when it was not used for a while, or, when the table is full, for a new
 * one: the one that was not used for longest, of those that are not settled if there are any. So a flood of beginnings
 * drives out beginnings. Read next: track.c.
 */
#ifndef FIREWALL_TRACK_H
#define FIREWALL_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

/* How far a connection has come: for each a time without use that ends it (track.c). */
enum stage {
    STAGE_ECHO,     /* ICMP: an echo was asked for */
    STAGE_ASKED,    /* all but TCP and ICMP: nobody has answered yet */
    STAGE_ANSWERED, /* settled */
    STAGE_SYN,      /* TCP: the opener's SYN */
    STAGE_SYN_ACK,  /* the other side's SYN and ACK */
    STAGE_OPEN,     /* the opener's ACK of that: settled */
    STAGE_CLOSING,  /* somebody's FIN or RST */
    STAGES,
};

/* Links are places in the table, plus 1: 0 is none. */
struct connection {
    uint64_t used; /* when, last; ns */
    uint32_t inside, outside;
    uint16_t inside_port, outside_port;
    uint16_t rule; /* the place of the rule that allowed it */
    uint8_t protocol;
    uint8_t opener; /* enum direction: the way of its first packet */
    uint8_t stage;
    uint32_t chain;        /* the next with the same hash */
    uint32_t newer, older; /* of the same stage, by their use */
};

struct stage_list {
    uint32_t newest, oldest;
};

struct track {
    struct connection *slots;
    uint32_t *buckets;
    uint32_t capacity; /* a power of two */
    uint32_t touched;  /* slots that were ever used */
    uint32_t free;     /* of those the ones that are not, by chain */
    uint32_t count;
    struct stage_list lists[STAGES];
    uint64_t key[2];  /* of the hash: nobody outside can make chains long */
    uint64_t evicted; /* connections that had to make room */
};

#define TRACK_SIZE(capacity) ((uint64_t)(capacity) * (sizeof(struct connection) + sizeof(uint32_t)))

/* Memory of TRACK_SIZE(capacity) zeroed bytes, aligned to 8. */
void track_init(struct track *track, void *memory, uint32_t capacity, const uint64_t key[2]);

/* The connection that a packet is part of, either way, or that an ICMP error is about; NULL for none. A packet that is part
 * of one counts as its use. */
struct connection *track_find(struct track *track, const struct packet *packet, enum direction direction, uint64_t now);

/* Whether a packet that is part of no connection may begin one, or needs none: of TCP that is a SYN alone. */
bool track_may_begin(const struct packet *packet);

/* Keeps the connection that a packet begins, if it is of a kind that gets answers. */
void track_begin(struct track *track, const struct packet *packet, enum direction direction, uint16_t rule, uint64_t now);

/* Forgets what was not used for too long. */
void track_expire(struct track *track, uint64_t now);

#endif
