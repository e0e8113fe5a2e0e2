/*
 * Reading frames: each kind, and frames that are cut off at every length, whose copies end where they do.
 *
 * Read next: rules.c.
 */
#include <string.h>

#include "tests.h"

static const uint32_t us = IPV4(10, 0, 0, 1), them = IPV4(10, 0, 1, 2);

static enum kind kind_of(struct frame frame)
{
    return read_exactly(&frame, frame.length).kind;
}

/* What a frame becomes with another byte, its checksum mended. */
static enum kind kind_with(struct frame frame, size_t place, uint8_t byte)
{
    frame.bytes[place] = byte;
    frame_sum(&frame);
    return kind_of(frame);
}

/* However it is cut off, it is short; its padding does not matter. */
static void expect_cuts(struct frame frame)
{
    for (size_t length = 0; length < frame.length; length++)
        EXPECT(read_exactly(&frame, length).kind == KIND_SHORT);
    frame.length += 18;
    EXPECT(kind_of(frame) <= KIND_ARP);
}

static void test_fields(void)
{
    struct frame frame = frame_tcp(us, 1024, them, 80, TCP_SYN | TCP_ACK);
    struct packet packet = read_exactly(&frame, frame.length);
    EXPECT(packet.kind == KIND_IP && packet.ends.protocol == PROTOCOL_TCP && packet.tcp_flags == (TCP_SYN | TCP_ACK));
    EXPECT(packet.ends.source == us && packet.ends.target == them);
    EXPECT(packet.ends.source_port == 1024 && packet.ends.target_port == 80);
    frame = frame_icmp(ICMP_ECHO, 77, us, them);
    packet = read_exactly(&frame, frame.length);
    EXPECT(packet.icmp_type == ICMP_ECHO && packet.ends.source_port == 77 && packet.ends.target_port == 0);
    frame = frame_icmp(ICMP_ECHO_REPLY, 77, them, us);
    packet = read_exactly(&frame, frame.length);
    EXPECT(packet.ends.source_port == 0 && packet.ends.target_port == 77 && !packet.has_quote);
    frame = frame_arp(us, them);
    packet = read_exactly(&frame, frame.length);
    EXPECT(packet.kind == KIND_ARP && packet.ends.source == us && packet.ends.target == them);
}

static void test_kinds(void)
{
    struct frame udp = frame_udp(us, 53, them, 53);
    EXPECT(kind_of(frame_of_type(0x86dd)) == KIND_IPV6 && kind_of(frame_of_type(0x8100)) == KIND_VLAN);
    EXPECT(kind_of(frame_of_type(0x88a8)) == KIND_VLAN && kind_of(frame_of_type(0x88b5)) == KIND_OTHER);
    EXPECT(kind_of(frame_of_type(46)) == KIND_OTHER && kind_of(frame_of_type(0)) == KIND_OTHER);
    EXPECT(kind_with(udp, 14, 0x46) == KIND_OPTIONS && kind_with(udp, 14, 0x4f) == KIND_OPTIONS);
    EXPECT(kind_with(udp, 14, 0x44) == KIND_MALFORMED && kind_with(udp, 14, 0x65) == KIND_MALFORMED);
    EXPECT(kind_with(udp, 17, 19) == KIND_MALFORMED && kind_with(udp, 17, 20) == KIND_SHORT);
    EXPECT(kind_with(udp, 16, 0xff) == KIND_SHORT && kind_with(udp, 17, 27) == KIND_SHORT);
    EXPECT(kind_with(udp, 20, 0x20) == KIND_FRAGMENT && kind_with(udp, 21, 1) == KIND_FRAGMENT);
    EXPECT(kind_with(udp, 20, 0x40) == KIND_IP && kind_with(udp, 20, 0x80) == KIND_MALFORMED);
    EXPECT(kind_with(udp, 39, 7) == KIND_MALFORMED && kind_with(udp, 39, 13) == KIND_MALFORMED);
    EXPECT(kind_with(udp, 38, 1) == KIND_MALFORMED && kind_with(udp, 39, 8) == KIND_IP);
    udp.bytes[24] ^= 1;
    EXPECT(kind_of(udp) == KIND_MALFORMED);
}

static void test_headers(void)
{
    struct frame tcp = frame_tcp(us, 1, them, 2, TCP_SYN), arp = frame_arp(us, them);
    EXPECT(kind_with(tcp, 46, 4 << 4) == KIND_MALFORMED && kind_with(tcp, 46, 6 << 4) == KIND_SHORT);
    for (size_t place = 14; place < 20; place++) {
        struct frame other = arp;
        other.bytes[place] ^= 1;
        EXPECT(kind_of(other) == KIND_MALFORMED);
    }
    arp.bytes[21] = 3; /* RARP */
    EXPECT(kind_of(arp) == KIND_MALFORMED);
}

static void test_quotes(void)
{
    struct frame udp = frame_udp(us, 1024, them, 53);
    struct frame error = frame_error(ICMP_UNREACHABLE, them, us, &udp);
    struct packet packet = read_exactly(&error, error.length);
    EXPECT(packet.has_quote && packet.quote.protocol == PROTOCOL_UDP && packet.quote.source == us);
    EXPECT(packet.quote.target == them && packet.quote.source_port == 1024 && packet.quote.target_port == 53);
    EXPECT(!read_exactly(&error, error.length).ends.source_port);
    struct frame bad = error;
    bad.bytes[42] = 0x46;
    EXPECT(kind_of(bad) == KIND_IP && !read_exactly(&bad, bad.length).has_quote);
    bad = error;
    bad.bytes[49] = 1; /* a later fragment: no ports in it */
    EXPECT(!read_exactly(&bad, bad.length).has_quote);
    bad = frame_ip(PROTOCOL_ICMP, them, us, 8 + 27);
    bad.bytes[34] = ICMP_UNREACHABLE;
    memcpy(bad.bytes + 42, udp.bytes + 14, 27);
    EXPECT(kind_of(bad) == KIND_IP && !read_exactly(&bad, bad.length).has_quote);
    bad = frame_error(5, them, us, &udp); /* a redirect is no error */
    EXPECT(!read_exactly(&bad, bad.length).has_quote);
}

void test_packets(void)
{
    test_fields();
    test_kinds();
    test_headers();
    test_quotes();
    struct frame udp = frame_udp(us, 53, them, 53);
    expect_cuts(udp);
    expect_cuts(frame_tcp(us, 1, them, 2, TCP_SYN));
    expect_cuts(frame_icmp(ICMP_ECHO, 1, us, them));
    expect_cuts(frame_error(ICMP_UNREACHABLE, them, us, &udp));
    expect_cuts(frame_ip(47, us, them, 0));
    expect_cuts(frame_arp(us, them));
}
