/*
 * The list of rules: from text to struct rule, and whether a packet is one that a rule means. docs/firewall.md has the language.
 *
 * Read next: words.h, rules.c.
 */
#ifndef FIREWALL_RULES_H
#define FIREWALL_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"

#define RULES_MAXIMUM 256u
#define REPORT_SECONDS_MAXIMUM 86400u

enum action { DENY, ALLOW, LOG };

/* Of one end of a packet. */
struct end_pattern {
    uint32_t address, mask;        /* of the address the bits in mask count */
    uint16_t first_port, last_port; /* both included */
};

struct rule {
    enum action action;
    uint8_t directions; /* OUT, IN, or both bits */
    bool any_kind;      /* ARP and every protocol of IPv4; else it is: */
    enum kind kind;
    bool any_protocol;
    uint8_t protocol;
    bool any_type;
    uint8_t type; /* of ICMP */
    struct end_pattern from, to;
    unsigned line;    /* its place in the text, from 1 */
    const char *text; /* that line there, without what is behind it */
    size_t length;
    uint64_t frames, bytes; /* that it decided about, or logged */
    uint64_t replies;       /* frames of connections that it allowed, the other way */
};

struct rules {
    struct rule list[RULES_MAXIMUM];
    unsigned count;
    uint32_t report_seconds; /* how often counts are shown; 0: when somebody asks */
};

/* What is wrong with a text, and where. */
struct mistake {
    unsigned line;    /* from 1; 0 for the whole of it */
    const char *word; /* which it is about, in the text; NULL for none */
    size_t length;
    const char *reason;
};

/* Reads a text, up to a NUL or its length, one rule a line. False, with the first mistake, when it is not a list of rules.
 * The rules keep pointers to the text. */
bool rules_read(struct rules *rules, const char *text, size_t length, struct mistake *mistake);

/* Whether the rule is about this packet on its way. */
bool rule_matches(const struct rule *rule, const struct packet *packet, enum direction direction);

#endif
