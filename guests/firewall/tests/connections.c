/*
 * Connections: replies pass, nothing else does, times and the table's size end them.
 *
 * Read next: filter.c.
 */
#include "tests.h"

static const uint32_t us = IPV4(10, 0, 0, 1), them = IPV4(10, 0, 1, 2);

static struct frame to_them(uint16_t port, uint8_t flags)
{
    return frame_tcp(us, port, them, 80, flags);
}

static struct frame to_us(uint16_t port, uint8_t flags)
{
    return frame_tcp(them, 80, us, port, flags);
}

/* The three segments that open a connection. */
static void shake_hands(struct filter *filter, uint16_t port, uint64_t seconds)
{
    EXPECT(passes(filter, to_them(port, TCP_SYN), OUT, seconds));
    EXPECT(passes(filter, to_us(port, TCP_SYN | TCP_ACK), IN, seconds));
    EXPECT(passes(filter, to_them(port, TCP_ACK), OUT, seconds));
}

static void test_tcp(void)
{
    struct filter *filter = filter_new("allow out tcp", 64);
    EXPECT(!passes(filter, to_us(1, TCP_SYN), IN, 1) && !passes(filter, to_us(1, TCP_SYN | TCP_ACK), IN, 1));
    EXPECT(!passes(filter, to_them(1, TCP_ACK), OUT, 1) && !passes(filter, to_them(1, TCP_SYN | TCP_FIN), OUT, 1));
    EXPECT(!passes(filter, to_them(1, 0), OUT, 1) && filter->track.count == 0);
    EXPECT(filter->lost[REASON_NO_CONNECTION].frames == 3 && filter->lost[REASON_NO_RULE].frames == 2);
    shake_hands(filter, 1, 1);
    EXPECT(filter->track.lists[STAGE_OPEN].newest != 0 && filter->track.count == 1);
    EXPECT(passes(filter, to_us(1, TCP_ACK), IN, 2) && !passes(filter, to_us(1, TCP_SYN), IN, 2));
    EXPECT(!passes(filter, to_us(2, TCP_ACK), IN, 2));
    EXPECT(!passes(filter, to_us(1, TCP_ACK), OUT, 2)); /* the right ends on the wrong way */
    EXPECT(passes(filter, to_us(1, TCP_ACK), IN, 2 + 7439) && passes(filter, to_them(1, TCP_ACK), OUT, 2 + 2 * 7439));
    EXPECT(!passes(filter, to_us(1, TCP_ACK), IN, 2 + 2 * 7439 + 7440));
    EXPECT(filter->rules.list[0].frames == 3 && filter->rules.list[0].replies == 3);
    filter_free(filter);
}

static void test_ends_of_tcp(void)
{
    struct filter *filter = filter_new("allow out tcp", 64);
    EXPECT(passes(filter, to_them(1, TCP_SYN), OUT, 1) && !passes(filter, to_us(1, TCP_SYN | TCP_ACK), IN, 241));
    shake_hands(filter, 2, 1);
    EXPECT(passes(filter, to_us(2, TCP_FIN | TCP_ACK), IN, 10) && passes(filter, to_them(2, TCP_ACK), OUT, 249));
    EXPECT(passes(filter, to_us(2, TCP_ACK), IN, 488) && !passes(filter, to_us(2, TCP_ACK), IN, 488 + 240));
    shake_hands(filter, 3, 1000);
    EXPECT(passes(filter, to_us(3, TCP_RST), IN, 1000) && filter->track.lists[STAGE_OPEN].newest == 0);
    shake_hands(filter, 3, 1001); /* the same ports once more */
    EXPECT(filter->track.lists[STAGE_OPEN].newest != 0 && filter->track.lists[STAGE_CLOSING].newest == 0);
    filter_free(filter);
}

static void test_udp_and_others(void)
{
    struct filter *filter = filter_new("allow out ip", 64);
    EXPECT(!passes(filter, frame_udp(them, 53, us, 1024), IN, 1));
    EXPECT(passes(filter, frame_udp(us, 1024, them, 53), OUT, 1));
    EXPECT(passes(filter, frame_udp(them, 53, us, 1024), IN, 120) && filter->track.lists[STAGE_ANSWERED].newest != 0);
    EXPECT(!passes(filter, frame_udp(them, 54, us, 1024), IN, 120) && !passes(filter, frame_udp(them, 53, us, 1025), IN, 120));
    EXPECT(!passes(filter, frame_udp(them + 1, 53, us, 1024), IN, 120));
    EXPECT(!passes(filter, frame_udp(them, 53, us, 1024), IN, 240));
    EXPECT(passes(filter, frame_ip(47, us, them, 4), OUT, 300) && passes(filter, frame_ip(47, them, us, 4), IN, 300));
    EXPECT(!passes(filter, frame_ip(48, them, us, 4), IN, 300));
    filter_free(filter);
}

static void test_echo(void)
{
    struct filter *filter = filter_new("allow out icmp type 8", 64);
    EXPECT(!passes(filter, frame_icmp(ICMP_ECHO_REPLY, 7, them, us), IN, 1));
    EXPECT(passes(filter, frame_icmp(ICMP_ECHO, 7, us, them), OUT, 1));
    EXPECT(passes(filter, frame_icmp(ICMP_ECHO_REPLY, 7, them, us), IN, 1));
    EXPECT(!passes(filter, frame_icmp(ICMP_ECHO_REPLY, 8, them, us), IN, 1));
    EXPECT(!passes(filter, frame_icmp(ICMP_ECHO, 7, them, us), IN, 1));
    EXPECT(!passes(filter, frame_icmp(ICMP_ECHO_REPLY, 7, us, them), OUT, 1));
    EXPECT(!passes(filter, frame_icmp(ICMP_ECHO_REPLY, 7, them, us), IN, 61));
    /* Identifier 0 looks like no port. */
    EXPECT(passes(filter, frame_icmp(ICMP_ECHO, 0, us, them), OUT, 70));
    EXPECT(!passes(filter, frame_icmp(5, 0, them, us), IN, 70) && !passes(filter, frame_icmp(ICMP_ECHO, 0, them, us), IN, 70));
    EXPECT(passes(filter, frame_icmp(ICMP_ECHO_REPLY, 0, them, us), IN, 70));
    filter_free(filter);
}

/* An error passes when it is about a packet that went the other way, and goes to who sent that. */
static void test_errors(void)
{
    const uint32_t router = IPV4(10, 0, 1, 1);
    struct filter *filter = filter_new("allow out udp", 64);
    struct frame asked = frame_udp(us, 1024, them, 53), other = frame_udp(us, 1025, them, 53);
    struct frame answer = frame_udp(them, 53, us, 1024);
    EXPECT(passes(filter, asked, OUT, 1));
    EXPECT(passes(filter, frame_error(ICMP_UNREACHABLE, router, us, &asked), IN, 1));
    EXPECT(passes(filter, frame_error(ICMP_TIME_EXCEEDED, router, us, &asked), IN, 1));
    EXPECT(passes(filter, frame_error(ICMP_UNREACHABLE, us, them, &answer), OUT, 1));
    EXPECT(!passes(filter, frame_error(ICMP_UNREACHABLE, router, us, &other), IN, 1));
    EXPECT(!passes(filter, frame_error(ICMP_UNREACHABLE, router, us + 1, &asked), IN, 1));
    EXPECT(!passes(filter, frame_error(ICMP_UNREACHABLE, us, us, &asked), OUT, 1));
    EXPECT(!passes(filter, frame_error(ICMP_UNREACHABLE, router, them, &answer), IN, 1));
    EXPECT(!passes(filter, frame_error(5, router, us, &asked), IN, 1));
    EXPECT(!passes(filter, frame_error(ICMP_UNREACHABLE, router, us, &asked), IN, 121)); /* none of them was a use */
    filter_free(filter);
}

/* Beginnings give way to beginnings, and settled connections to settled ones only when there is nothing else. */
static void test_full_table(void)
{
    struct filter *filter = filter_new("allow out tcp", 8);
    for (uint16_t port = 1; port <= 4; port++)
        shake_hands(filter, port, port);
    for (uint16_t port = 100; port < 200; port++)
        EXPECT(passes(filter, to_them(port, TCP_SYN), OUT, port));
    EXPECT(filter->track.count == 8 && filter->track.evicted == 96);
    EXPECT(!passes(filter, to_us(195, TCP_SYN | TCP_ACK), IN, 200) && passes(filter, to_us(196, TCP_SYN | TCP_ACK), IN, 200));
    for (uint16_t port = 1; port <= 4; port++)
        EXPECT(passes(filter, to_us(port, TCP_ACK), IN, 200 + port));
    for (uint16_t port = 5; port <= 8; port++)
        shake_hands(filter, port, 210);
    EXPECT(passes(filter, to_us(4, TCP_ACK), IN, 211) && passes(filter, to_us(1, TCP_ACK), IN, 212));
    shake_hands(filter, 9, 220);
    EXPECT(!passes(filter, to_us(2, TCP_ACK), IN, 221) && passes(filter, to_us(3, TCP_ACK), IN, 221));
    EXPECT(filter->track.count == 8);
    track_expire(&filter->track, (uint64_t)100000 * 1000000000);
    EXPECT(filter->track.count == 0);
    shake_hands(filter, 10, 100001);
    filter_free(filter);
}

/* Whatever they are, the one that was not used for longest gives way. */
static void test_least_used(void)
{
    struct filter *filter = filter_new("allow out ip", 2);
    EXPECT(passes(filter, frame_udp(us, 1, them, 53), OUT, 1) && passes(filter, to_them(1, TCP_SYN), OUT, 2));
    EXPECT(passes(filter, frame_icmp(ICMP_ECHO, 1, us, them), OUT, 3));
    EXPECT(!passes(filter, frame_udp(them, 53, us, 1), IN, 3) && passes(filter, to_us(1, TCP_SYN | TCP_ACK), IN, 4));
    EXPECT(passes(filter, frame_udp(us, 1, them, 53), OUT, 5));
    EXPECT(!passes(filter, frame_icmp(ICMP_ECHO_REPLY, 1, them, us), IN, 5) && passes(filter, to_us(1, TCP_ACK), IN, 5));
    filter_free(filter);
}

void test_connections(void)
{
    test_tcp();
    test_ends_of_tcp();
    test_udp_and_others();
    test_echo();
    test_errors();
    test_full_table();
    test_least_used();
}
