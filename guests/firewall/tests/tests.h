/*
 * What the firewall's tests share. They run on the host, under the sanitizers: `make -C guests firewall-tests`.
 *
 * Read next: main.c.
 */
#ifndef FIREWALL_TESTS_H
#define FIREWALL_TESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filter.h"

/* Says that something does not hold, and goes on. */
#define EXPECT(holds) expect((holds), #holds, __FILE__, __LINE__, "")
#define EXPECT_OF(holds, what) expect((holds), #holds, __FILE__, __LINE__, (what))
void expect(bool holds, const char *claim, const char *file, int line, const char *what);

/* An Ethernet frame that is put together. */
struct frame {
    uint8_t bytes[256];
    size_t length;
};

/* 10.0.0.1 as a number. */
#define IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

struct frame frame_of_type(uint16_t type);
/* IPv4 with a right checksum, and a payload of zeros. */
struct frame frame_ip(uint8_t protocol, uint32_t source, uint32_t target, size_t payload);
struct frame frame_tcp(uint32_t source, uint16_t source_port, uint32_t target, uint16_t target_port, uint8_t flags);
struct frame frame_udp(uint32_t source, uint16_t source_port, uint32_t target, uint16_t target_port);
struct frame frame_icmp(uint8_t type, uint16_t identifier, uint32_t source, uint32_t target);
/* An ICMP error about the IPv4 packet in another frame. */
struct frame frame_error(uint8_t type, uint32_t source, uint32_t target, const struct frame *about);
struct frame frame_arp(uint32_t source, uint32_t target);
/* Makes an IPv4 header's checksum right again. */
void frame_sum(struct frame *frame);

/* A copy that ends where memory does, for packet_read. */
struct packet read_exactly(const struct frame *frame, size_t length);

/* A filter with these rules, which must be right, and a table of so many connections. */
struct filter *filter_new(const char *rules, uint32_t connections);
void filter_free(struct filter *filter);
bool passes(struct filter *filter, struct frame frame, enum direction direction, uint64_t seconds);
extern unsigned logged; /* calls of the log function */

void test_rules(void);
void test_packets(void);
void test_connections(void);
void test_filter(void);

#endif
