/*
 * The implementation of track.h: a hash table with chains, and for each stage a list by use. All in a list have the same time to
 * live, so the oldest is the first to expire.
 *
 * Sequence numbers are not looked at: a forged RST makes a connection one that closes, which it stays in the table for
 * as long as it is used. Read next: hash.h.
 */
#include "track.h"

#include <stddef.h>

#include "hash.h"

#define SECOND 1000000000ull

static const struct {
    uint64_t lifetime; /* ns without use */
    bool is_settled;
} stages[STAGES] = {
    [STAGE_ECHO] = {60 * SECOND, false},      /* RFC 5508, REQ-2 */
    [STAGE_ASKED] = {120 * SECOND, false},    /* RFC 4787, REQ-5 */
    [STAGE_ANSWERED] = {120 * SECOND, true},  /* the same */
    [STAGE_SYN] = {240 * SECOND, false},      /* RFC 5382, REQ-5 */
    [STAGE_SYN_ACK] = {240 * SECOND, false},  /* the same */
    [STAGE_OPEN] = {7440 * SECOND, true},     /* the same */
    [STAGE_CLOSING] = {240 * SECOND, false},  /* the same */
};

/* A pair of ends as both ways see it. */
struct flow {
    uint32_t inside, outside;
    uint16_t inside_port, outside_port;
    uint8_t protocol;
};

static struct flow flow_of(const struct ends *ends, enum direction direction)
{
    if (direction == OUT)
        return (struct flow){ends->source, ends->target, ends->source_port, ends->target_port, ends->protocol};
    return (struct flow){ends->target, ends->source, ends->target_port, ends->source_port, ends->protocol};
}

void track_init(struct track *track, void *memory, uint32_t capacity, const uint64_t key[2])
{
    *track = (struct track){.slots = memory, .capacity = capacity, .key = {key[0], key[1]}};
    track->buckets = (uint32_t *)(void *)(track->slots + capacity);
}

static struct connection *at(const struct track *track, uint32_t link)
{
    return &track->slots[link - 1];
}

static uint32_t *bucket(const struct track *track, const struct flow *flow)
{
    uint64_t addresses = (uint64_t)flow->inside << 32 | flow->outside;
    uint64_t rest = (uint64_t)flow->inside_port << 24 | (uint64_t)flow->outside_port << 8 | flow->protocol;
    return &track->buckets[hash(track->key, addresses, rest) & (track->capacity - 1)];
}

static void list_remove(struct track *track, uint32_t link)
{
    struct connection *connection = at(track, link);
    struct stage_list *list = &track->lists[connection->stage];
    *(connection->newer != 0 ? &at(track, connection->newer)->older : &list->newest) = connection->older;
    *(connection->older != 0 ? &at(track, connection->older)->newer : &list->oldest) = connection->newer;
}

static void list_put(struct track *track, uint32_t link, enum stage stage)
{
    struct connection *connection = at(track, link);
    struct stage_list *list = &track->lists[stage];
    connection->stage = (uint8_t)stage;
    connection->newer = 0;
    connection->older = list->newest;
    *(list->newest != 0 ? &at(track, list->newest)->newer : &list->oldest) = link;
    list->newest = link;
}

static void forget(struct track *track, uint32_t link)
{
    struct connection *connection = at(track, link);
    struct flow flow = {connection->inside, connection->outside, connection->inside_port, connection->outside_port,
                        connection->protocol};
    uint32_t *place = bucket(track, &flow);
    while (*place != link)
        place = &at(track, *place)->chain;
    *place = connection->chain;
    list_remove(track, link);
    connection->chain = track->free;
    track->free = link;
    track->count--;
}

static bool is_over(const struct connection *connection, uint64_t now)
{
    return now - connection->used >= stages[connection->stage].lifetime;
}

void track_expire(struct track *track, uint64_t now)
{
    for (int stage = 0; stage < STAGES; stage++) {
        uint32_t oldest;
        while ((oldest = track->lists[stage].oldest) != 0 && is_over(at(track, oldest), now))
            forget(track, oldest);
    }
}

/* The place of a flow's connection, which may be over; 0 for none. */
static uint32_t find(const struct track *track, const struct flow *flow)
{
    uint32_t link = *bucket(track, flow);
    for (; link != 0; link = at(track, link)->chain) {
        const struct connection *found = at(track, link);
        if (found->inside == flow->inside && found->outside == flow->outside && found->inside_port == flow->inside_port &&
            found->outside_port == flow->outside_port && found->protocol == flow->protocol)
            break;
    }
    return link;
}

static bool is_syn_alone(const struct packet *packet)
{
    return (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

/* Whether a packet between a connection's ends is part of it: its other side asks for nothing of its own. */
static bool is_part(const struct connection *connection, const struct packet *packet, enum direction direction)
{
    bool is_openers = connection->opener == direction;
    switch (packet->ends.protocol) {
    case PROTOCOL_TCP: return is_openers || !is_syn_alone(packet);
    case PROTOCOL_ICMP: return packet->icmp_type == (is_openers ? ICMP_ECHO : ICMP_ECHO_REPLY);
    default: return true;
    }
}

static enum stage stage_behind(const struct connection *connection, const struct packet *packet, enum direction direction)
{
    enum stage stage = connection->stage;
    bool is_openers = connection->opener == direction;
    uint8_t flags = packet->tcp_flags;
    if (packet->ends.protocol != PROTOCOL_TCP)
        return stage == STAGE_ASKED && !is_openers ? STAGE_ANSWERED : stage;
    if ((flags & (TCP_FIN | TCP_RST)) != 0)
        return STAGE_CLOSING;
    if (stage == STAGE_CLOSING && is_openers && is_syn_alone(packet))
        return STAGE_SYN; /* the same ports once more */
    if (stage == STAGE_SYN && !is_openers && (flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
        return STAGE_SYN_ACK;
    if (stage == STAGE_SYN_ACK && is_openers && (flags & (TCP_SYN | TCP_ACK)) == TCP_ACK)
        return STAGE_OPEN;
    return stage;
}

/* An error goes to who sent the packet that it quotes, against that packet's way. */
static struct connection *find_quoted(struct track *track, const struct packet *packet, enum direction direction, uint64_t now)
{
    if (!packet->has_quote || packet->ends.target != packet->quote.source)
        return NULL;
    struct flow flow = flow_of(&packet->quote, direction == OUT ? IN : OUT);
    uint32_t link = find(track, &flow);
    return link != 0 && !is_over(at(track, link), now) ? at(track, link) : NULL;
}

struct connection *track_find(struct track *track, const struct packet *packet, enum direction direction, uint64_t now)
{
    if (packet->kind != KIND_IP)
        return NULL;
    struct flow flow = flow_of(&packet->ends, direction);
    uint32_t link = find(track, &flow);
    if (link == 0 || is_over(at(track, link), now) || !is_part(at(track, link), packet, direction))
        return find_quoted(track, packet, direction, now);
    struct connection *connection = at(track, link);
    enum stage stage = stage_behind(connection, packet, direction);
    connection->used = now;
    list_remove(track, link);
    list_put(track, link, stage);
    return connection;
}

bool track_may_begin(const struct packet *packet)
{
    return packet->kind != KIND_IP || packet->ends.protocol != PROTOCOL_TCP || is_syn_alone(packet);
}

/* Of the oldest of each stage the one that was not used for longest; 0 when there is none. */
static uint32_t least_used(const struct track *track, bool is_settled)
{
    uint32_t least = 0;
    for (int stage = 0; stage < STAGES; stage++) {
        uint32_t oldest = track->lists[stage].oldest;
        if (stages[stage].is_settled != is_settled || oldest == 0)
            continue;
        if (least == 0 || at(track, oldest)->used < at(track, least)->used)
            least = oldest;
    }
    return least;
}

static uint32_t free_slot(struct track *track, uint64_t now)
{
    track_expire(track, now);
    if (track->free == 0 && track->touched < track->capacity)
        return ++track->touched;
    if (track->free == 0) {
        uint32_t unsettled = least_used(track, false);
        forget(track, unsettled != 0 ? unsettled : least_used(track, true));
        track->evicted++;
    }
    uint32_t link = track->free;
    track->free = at(track, link)->chain;
    return link;
}

void track_begin(struct track *track, const struct packet *packet, enum direction direction, uint16_t rule, uint64_t now)
{
    uint8_t protocol = packet->ends.protocol;
    if (packet->kind != KIND_IP || (protocol == PROTOCOL_ICMP && packet->icmp_type != ICMP_ECHO))
        return;
    struct flow flow = flow_of(&packet->ends, direction);
    uint32_t link = find(track, &flow);
    if (link != 0)
        forget(track, link); /* it is over, or this packet is no part of it */
    link = free_slot(track, now);
    uint32_t *first = bucket(track, &flow);
    *at(track, link) = (struct connection){
        .used = now, .inside = flow.inside, .outside = flow.outside, .inside_port = flow.inside_port,
        .outside_port = flow.outside_port, .rule = rule, .protocol = protocol, .opener = (uint8_t)direction, .chain = *first};
    *first = link;
    list_put(track, link, protocol == PROTOCOL_TCP ? STAGE_SYN : protocol == PROTOCOL_ICMP ? STAGE_ECHO : STAGE_ASKED);
    track->count++;
}
