/*
 * The rules' order, their counts, and what is denied whatever they say.
 *
 * Read next: ../../../Tests/GuestTests/FirewallTests.swift.
 */
#include <string.h>

#include "hash.h"
#include "tests.h"

static const uint32_t us = IPV4(10, 0, 0, 1), them = IPV4(10, 0, 1, 2);

static void test_order(void)
{
    struct filter *filter = filter_new("deny out udp to any port 53\nlog out udp\nallow out udp to 10.0.1.0/24\ndeny both any", 64);
    const struct rule *rules = filter->rules.list;
    EXPECT(!passes(filter, frame_udp(us, 1024, them, 53), OUT, 1) && rules[0].frames == 1 && logged == 0);
    EXPECT(passes(filter, frame_udp(us, 1024, them, 54), OUT, 1) && rules[1].frames == 1 && logged == 1);
    EXPECT(rules[2].frames == 1 && rules[2].bytes == 46 && rules[2].replies == 0);
    EXPECT(passes(filter, frame_udp(us, 1024, them, 54), OUT, 1) && logged == 1); /* a connection is logged once */
    EXPECT(passes(filter, frame_udp(them, 54, us, 1024), IN, 1));
    EXPECT(rules[2].frames == 2 && rules[2].replies == 1 && rules[2].bytes == 3 * 46);
    EXPECT(!passes(filter, frame_udp(us, 1024, IPV4(10, 0, 2, 1), 54), OUT, 1) && logged == 2 && rules[3].frames == 1);
    EXPECT(!passes(filter, frame_arp(us, them), OUT, 1) && rules[3].frames == 2 && filter->lost[REASON_NO_RULE].frames == 0);
    filter_free(filter);
}

static void test_what_never_passes(void)
{
    struct filter *filter = filter_new("allow both any", 64);
    struct frame options = frame_udp(us, 1, them, 2), fragment = options, bad_sum = options;
    options.bytes[14] = 0x46;
    frame_sum(&options);
    fragment.bytes[20] = 0x20;
    frame_sum(&fragment);
    bad_sum.bytes[25] ^= 1;
    struct frame cut = frame_tcp(us, 1, them, 2, TCP_SYN);
    cut.length--;
    EXPECT(!passes(filter, options, OUT, 1) && !passes(filter, fragment, OUT, 1) && !passes(filter, bad_sum, IN, 1));
    EXPECT(!passes(filter, cut, IN, 1) && !passes(filter, frame_of_type(0x86dd), IN, 1));
    EXPECT(!passes(filter, frame_of_type(0x8100), IN, 1) && !passes(filter, frame_of_type(0x88b5), OUT, 1));
    for (int reason = KIND_SHORT; reason < KINDS; reason++)
        EXPECT_OF(filter->lost[reason].frames == 1, reason_name((enum reason)reason));
    EXPECT(filter->rules.list[0].frames == 0 && filter->track.count == 0);
    EXPECT(passes(filter, frame_arp(us, them), OUT, 1) && passes(filter, frame_icmp(13, 0, us, them), OUT, 1));
    EXPECT(filter->rules.list[0].frames == 2 && filter->track.count == 0);
    filter_free(filter);
}

/* Both sides may begin: the same ends in the other direction are another connection. */
static void test_both_directions(void)
{
    struct filter *filter = filter_new("allow out tcp\nallow in tcp to 10.0.0.1 port 22", 64);
    EXPECT(passes(filter, frame_tcp(us, 22, them, 4000, TCP_SYN), OUT, 1));
    EXPECT(passes(filter, frame_tcp(them, 4000, us, 22, TCP_SYN), IN, 1) && filter->track.count == 1);
    EXPECT(passes(filter, frame_tcp(us, 22, them, 4000, TCP_SYN | TCP_ACK), OUT, 1));
    EXPECT(filter->rules.list[0].frames == 1 && filter->rules.list[1].frames == 1 && filter->rules.list[1].replies == 1);
    filter_free(filter);
}

/* All that is promised of the hash is that it spreads and that its key matters; the reference's test vectors are SipHash-2-4's. */
static void test_hash(void)
{
    static unsigned counts[256];
    const uint64_t key[2] = {1, 2}, other[2] = {1, 3};
    for (uint64_t port = 0; port < 65536; port++)
        counts[hash(key, IPV4(10, 0, 0, 1), port << 24) & 255]++;
    for (int bucket = 0; bucket < 256; bucket++)
        EXPECT(counts[bucket] > 160 && counts[bucket] < 360); /* six times the deviation of 256 */
    EXPECT(hash(key, 1, 2) != hash(other, 1, 2) && hash(key, 1, 2) != hash(key, 2, 1));
}

void test_filter(void)
{
    test_order();
    test_what_never_passes();
    test_both_directions();
    test_hash();
}
