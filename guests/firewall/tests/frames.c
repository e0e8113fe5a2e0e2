/*
 * Frames to test with, and a filter to give them to.
 *
 * Read next: packets.c.
 */
#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "tests.h"

struct frame frame_of_type(uint16_t type)
{
    struct frame frame = {.bytes = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}, .length = 60};
    put16(frame.bytes + 12, type);
    return frame;
}

void frame_sum(struct frame *frame)
{
    uint32_t sum = 0;
    put16(frame->bytes + 24, 0);
    for (int i = 14; i < 34; i += 2)
        sum += (uint32_t)frame->bytes[i] << 8 | frame->bytes[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(frame->bytes + 24, ~(sum + (sum >> 16)));
}

struct frame frame_ip(uint8_t protocol, uint32_t source, uint32_t target, size_t payload)
{
    struct frame frame = frame_of_type(0x800);
    uint8_t *ip = frame.bytes + 14;
    frame.length = 34 + payload;
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)(20 + payload));
    ip[8] = 64;
    ip[9] = protocol;
    put32(ip + 12, source);
    put32(ip + 16, target);
    frame_sum(&frame);
    return frame;
}

struct frame frame_tcp(uint32_t source, uint16_t source_port, uint32_t target, uint16_t target_port, uint8_t flags)
{
    struct frame frame = frame_ip(PROTOCOL_TCP, source, target, 20);
    put16(frame.bytes + 34, source_port);
    put16(frame.bytes + 36, target_port);
    frame.bytes[46] = 5 << 4;
    frame.bytes[47] = flags;
    return frame;
}

struct frame frame_udp(uint32_t source, uint16_t source_port, uint32_t target, uint16_t target_port)
{
    struct frame frame = frame_ip(PROTOCOL_UDP, source, target, 12);
    put16(frame.bytes + 34, source_port);
    put16(frame.bytes + 36, target_port);
    put16(frame.bytes + 38, 12);
    return frame;
}

struct frame frame_icmp(uint8_t type, uint16_t identifier, uint32_t source, uint32_t target)
{
    struct frame frame = frame_ip(PROTOCOL_ICMP, source, target, 16);
    frame.bytes[34] = type;
    put16(frame.bytes + 38, identifier);
    return frame;
}

struct frame frame_error(uint8_t type, uint32_t source, uint32_t target, const struct frame *about)
{
    struct frame frame = frame_ip(PROTOCOL_ICMP, source, target, 8 + 28);
    frame.bytes[34] = type;
    memcpy(frame.bytes + 42, about->bytes + 14, 28);
    return frame;
}

struct frame frame_arp(uint32_t source, uint32_t target)
{
    static const uint8_t request[8] = {0, 1, 8, 0, 6, 4, 0, 1};
    struct frame frame = frame_of_type(0x806);
    frame.length = 42;
    memcpy(frame.bytes + 14, request, 8);
    put32(frame.bytes + 28, source);
    put32(frame.bytes + 38, target);
    return frame;
}

struct packet read_exactly(const struct frame *frame, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, frame->bytes, length);
    struct packet packet = packet_read(copy, length);
    free(copy);
    return packet;
}

unsigned logged;

static void count_log(const struct rule *rule, const struct packet *packet, enum direction direction, size_t length)
{
    (void)packet, (void)direction, (void)length;
    logged += rule->action == LOG;
}

struct filter *filter_new(const char *rules, uint32_t connections)
{
    static const uint64_t key[2] = {1, 2};
    struct mistake mistake;
    struct filter *filter = calloc(1, sizeof *filter);
    EXPECT_OF(rules_read(&filter->rules, rules, strlen(rules), &mistake), rules);
    track_init(&filter->track, calloc(1, TRACK_SIZE(connections)), connections, key);
    filter->log = count_log;
    logged = 0;
    return filter;
}

void filter_free(struct filter *filter)
{
    free(filter->track.slots);
    free(filter);
}

bool passes(struct filter *filter, struct frame frame, enum direction direction, uint64_t seconds)
{
    uint8_t *copy = malloc(frame.length);
    memcpy(copy, frame.bytes, frame.length);
    bool result = filter_passes(filter, copy, frame.length, direction, seconds * 1000000000);
    free(copy);
    return result;
}
