/*
 * The language: what is a list of rules, what is none and why, and which packets a rule means.
 *
 * Read next: connections.c.
 */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests.h"

static struct rules rules;

/* Reads a text that ends where memory does. */
static bool read_text(const char *text, size_t length, struct mistake *mistake)
{
    static char *copy;
    free(copy);
    copy = malloc(length > 0 ? length : 1);
    memcpy(copy, text, length);
    return rules_read(&rules, copy, length, mistake);
}

static void expect_mistake(const char *text, unsigned line, const char *word, const char *reason)
{
    struct mistake mistake = {.line = 0};
    bool is_read = read_text(text, strlen(text), &mistake);
    EXPECT_OF(!is_read, text);
    EXPECT_OF(mistake.line == line, text);
    EXPECT_OF(mistake.length == strlen(word) && (mistake.length == 0 || memcmp(mistake.word, word, mistake.length) == 0), text);
    EXPECT_OF(!is_read && strstr(mistake.reason, reason) != NULL, text);
}

static void test_mistakes(void)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *word, *reason;
    } mistakes[] = {
        {"", 0, "", "no rule"},
        {"\n# only a comment\n\n", 0, "", "no rule"},
        {"report 10", 0, "", "no rule"},
        {"alow in any", 1, "alow", "allow, deny, log or report"},
        {"allow in any\n\n  permit out any", 3, "permit", "allow, deny, log or report"},
        {"allow", 1, "", "direction"},
        {"allow any", 1, "any", "direction"},
        {"allow in", 1, "", "protocol"},
        {"allow in tpc", 1, "tpc", "protocol"},
        {"allow in 256", 1, "256", "protocol"},
        {"allow in 06", 1, "06", "protocol"},
        {"allow in -1", 1, "-1", "protocol"},
        {"allow in tcp port 80", 1, "port", "here may stand"},
        {"allow in tcp from", 1, "", "four numbers"},
        {"allow in tcp from 10.0.0", 1, "10.0.0", "four numbers"},
        {"allow in tcp from 10.0.0.0.0", 1, "10.0.0.0.0", "four numbers"},
        {"allow in tcp from 10.0.0.256", 1, "10.0.0.256", "four numbers"},
        {"allow in tcp from 10.0.0.01", 1, "10.0.0.01", "four numbers"},
        {"allow in tcp from 10..0.1", 1, "10..0.1", "four numbers"},
        {"allow in tcp from example.org", 1, "example.org", "four numbers"},
        {"allow in tcp from 10.0.0.0/33", 1, "10.0.0.0/33", "prefix"},
        {"allow in tcp from 10.0.0.0/", 1, "10.0.0.0/", "prefix"},
        {"allow in tcp from 10.0.0.1/24", 1, "10.0.0.1/24", "behind its prefix"},
        {"allow in tcp from any port", 1, "", "a port is"},
        {"allow in tcp from any port http", 1, "http", "a port is"},
        {"allow in tcp from any port 65536", 1, "65536", "a port is"},
        {"allow in tcp from any port 4294967296", 1, "4294967296", "a port is"},
        {"allow in tcp from any port 18446744073709551617", 1, "18446744073709551617", "a port is"},
        {"allow in tcp from any port 90-80", 1, "90-80", "a port is"},
        {"allow in tcp from any port 80-", 1, "80-", "a port is"},
        {"allow in tcp from any port 1-2-3", 1, "1-2-3", "a port is"},
        {"allow in icmp from any port 8", 1, "port", "only tcp and udp"},
        {"allow in any to any port 8", 1, "port", "only tcp and udp"},
        {"allow in ip to any port 8", 1, "port", "only tcp and udp"},
        {"allow in arp to any port 8", 1, "port", "only tcp and udp"},
        {"allow in tcp type 8", 1, "type", "only icmp"},
        {"allow in any type 8", 1, "type", "only icmp"},
        {"allow in icmp type 256", 1, "256", "a type is"},
        {"allow in icmp type echo", 1, "echo", "a type is"},
        {"allow in icmp type 0 type 8", 1, "type", "twice"},
        {"allow in tcp from any from any", 1, "from", "twice"},
        {"allow in tcp to any port 1 to any", 1, "to", "twice"},
        {"allow in tcp from any port 1 port 2", 1, "port", "here may stand"},
        {"allow in tcp to any and more", 1, "and", "here may stand"},
        {"report", 1, "", "seconds"},
        {"report 0\nallow in any", 1, "0", "seconds"},
        {"report 86401\nallow in any", 1, "86401", "seconds"},
        {"report 10 s\nallow in any", 1, "s", "nothing"},
        {"\xff\xfe", 1, "\xff\xfe", "allow, deny"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        expect_mistake(mistakes[i].text, mistakes[i].line, mistakes[i].word, mistakes[i].reason);
}

static void test_limits(void)
{
    static char text[300 * 16];
    struct mistake mistake;
    size_t used = 0;
    for (unsigned rule = 0; rule < RULES_MAXIMUM; rule++)
        used += (size_t)sprintf(text + used, "allow in any\n");
    EXPECT(read_text(text, used, &mistake) && rules.count == RULES_MAXIMUM);
    used += (size_t)sprintf(text + used, "# no rule\n\nallow in any");
    EXPECT(!read_text(text, used, &mistake) && mistake.line == RULES_MAXIMUM + 3 && strstr(mistake.reason, "256 rules"));
    EXPECT(read_text("allow in any\0garbage", 20, &mistake) && rules.count == 1);
}

static void test_reading(void)
{
    static const char text[] = "# a comment\r\n\tallow out tcp from 10.0.0.0/8 port 1024-65535 to 192.168.1.2 port 443 # web\r\n"
                               "report 60\nlog in 47\n deny both any";
    struct mistake mistake;
    EXPECT(read_text(text, sizeof text - 1, &mistake) && rules.count == 3 && rules.report_seconds == 60);
    const struct rule *first = &rules.list[0], *second = &rules.list[1], *third = &rules.list[2];
    EXPECT(first->action == ALLOW && first->directions == OUT && !first->any_kind && first->protocol == PROTOCOL_TCP);
    EXPECT(first->from.address == IPV4(10, 0, 0, 0) && first->from.mask == 0xff000000);
    EXPECT(first->from.first_port == 1024 && first->from.last_port == 65535);
    EXPECT(first->to.address == IPV4(192, 168, 1, 2) && first->to.mask == 0xffffffff);
    EXPECT(first->to.first_port == 443 && first->to.last_port == 443 && first->line == 2);
    EXPECT(memcmp(first->text, "allow out tcp", 13) == 0);
    EXPECT(second->action == LOG && second->directions == IN && second->protocol == 47 && second->line == 4);
    EXPECT(third->action == DENY && third->directions == (IN | OUT) && third->any_kind && third->from.mask == 0);
}

static bool means(const char *rule, struct frame frame, enum direction direction)
{
    struct mistake mistake;
    struct packet packet = read_exactly(&frame, frame.length);
    EXPECT_OF(read_text(rule, strlen(rule), &mistake), rule);
    return rule_matches(&rules.list[0], &packet, direction);
}

static void test_matching(void)
{
    const uint32_t us = IPV4(10, 0, 0, 1), them = IPV4(10, 0, 1, 2);
    struct frame syn = frame_tcp(us, 1024, them, 80, TCP_SYN);
    EXPECT(means("allow out any", syn, OUT) && !means("allow out any", syn, IN) && means("allow both any", syn, IN));
    EXPECT(means("allow out ip", syn, OUT) && means("allow out tcp", syn, OUT) && means("allow out 6", syn, OUT));
    EXPECT(!means("allow out udp", syn, OUT) && !means("allow out icmp", syn, OUT) && !means("allow out arp", syn, OUT));
    EXPECT(means("allow out tcp to 10.0.1.2 port 80", syn, OUT) && !means("allow out tcp to 10.0.1.2 port 81", syn, OUT));
    EXPECT(!means("allow out tcp from any port 80", syn, OUT) && means("allow out tcp from any port 1024", syn, OUT));
    EXPECT(means("allow out tcp to any port 79-81", syn, OUT) && !means("allow out tcp to any port 81-65535", syn, OUT));
    EXPECT(means("allow out tcp to any port 0-80", syn, OUT) && !means("allow out tcp to any port 0-79", syn, OUT));
    EXPECT(means("allow out ip from 10.0.0.0/24", syn, OUT) && !means("allow out ip from 10.0.1.0/24", syn, OUT));
    EXPECT(means("allow out ip to 10.0.0.0/23", syn, OUT) && !means("allow out ip to 10.0.2.0/23", syn, OUT));
    EXPECT(means("allow out ip to 0.0.0.0/0", syn, OUT) && means("allow out ip to 0.0.0.0/1", syn, OUT));
    EXPECT(!means("allow out ip to 128.0.0.0/1", syn, OUT) && !means("allow out ip to 10.0.1.3/32", syn, OUT));
    EXPECT(means("allow out icmp", frame_icmp(8, 1, us, them), OUT));
    EXPECT(means("allow out icmp type 8", frame_icmp(8, 1, us, them), OUT));
    EXPECT(!means("allow out icmp type 8", frame_icmp(0, 1, us, them), OUT));
    EXPECT(means("allow out arp", frame_arp(us, them), OUT) && means("allow out any", frame_arp(us, them), OUT));
    EXPECT(!means("allow out ip", frame_arp(us, them), OUT) && !means("allow out 0", frame_arp(us, them), OUT));
    EXPECT(means("allow out arp from 10.0.0.1 to 10.0.1.2", frame_arp(us, them), OUT));
    EXPECT(!means("allow out arp from 10.0.0.2", frame_arp(us, them), OUT));
    EXPECT(means("allow out 47", frame_ip(47, us, them, 8), OUT) && !means("allow out 46", frame_ip(47, us, them, 8), OUT));
    EXPECT(!means("allow both any", frame_of_type(0x86dd), OUT) && !means("allow both any", frame_of_type(0x8100), OUT));
}

void test_rules(void)
{
    test_mistakes();
    test_limits();
    test_reading();
    test_matching();
}
