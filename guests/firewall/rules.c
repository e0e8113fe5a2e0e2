/*
 * From text to rules, by recursive descent without the recursion: a line is an action, a direction, a protocol, and clauses.
 *
 * A line that is wrong anywhere makes the whole list wrong: half of a list of rules is another list. Read next: track.h.
 */
#include "rules.h"

#include "memory.h"
#include "words.h"

static const struct end_pattern anywhere = {.last_port = 65535};

/* What is being read, and the first mistake in it. */
struct reader {
    struct line line;
    struct word word; /* the one that was read last */
    const char *reason;
};

static void next(struct reader *reader)
{
    reader->word = word_next(&reader->line);
}

static bool fail(struct reader *reader, const char *reason)
{
    reader->reason = reason;
    return false;
}

static bool read_direction(struct reader *reader, struct rule *rule)
{
    next(reader);
    if (word_is(reader->word, "out"))
        rule->directions = OUT;
    else if (word_is(reader->word, "in"))
        rule->directions = IN;
    else if (word_is(reader->word, "both"))
        rule->directions = OUT | IN;
    else
        return fail(reader, "behind the action stands a direction: in, out or both");
    return true;
}

static bool read_protocol(struct reader *reader, struct rule *rule)
{
    static const char *const names[] = {"icmp", "tcp", "udp"};
    static const uint8_t numbers[] = {PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP};
    uint32_t number;
    next(reader);
    rule->kind = word_is(reader->word, "arp") ? KIND_ARP : KIND_IP;
    rule->any_kind = word_is(reader->word, "any");
    rule->any_protocol = rule->any_kind || rule->kind == KIND_ARP || word_is(reader->word, "ip");
    if (rule->any_protocol)
        return true;
    for (size_t i = 0; i < 3; i++) {
        if (word_is(reader->word, names[i])) {
            rule->protocol = numbers[i];
            return true;
        }
    }
    if (!word_number(reader->word, 255, &number))
        return fail(reader, "behind the direction stands a protocol: any, arp, ip, icmp, tcp, udp, or one of IPv4's numbers, 0 to 255");
    rule->protocol = (uint8_t)number;
    return true;
}

static bool has_ports(const struct rule *rule)
{
    return !rule->any_protocol && (rule->protocol == PROTOCOL_TCP || rule->protocol == PROTOCOL_UDP);
}

/* Behind "from" or "to"; the word behind it all is read too. */
static bool read_end(struct reader *reader, const struct rule *rule, struct end_pattern *end)
{
    uint32_t first, last;
    next(reader);
    if (!word_is(reader->word, "any")) {
        const char *reason = word_address(reader->word, &end->address, &end->mask);
        if (reason != NULL)
            return fail(reader, reason);
    }
    next(reader);
    if (!word_is(reader->word, "port"))
        return true;
    if (!has_ports(rule))
        return fail(reader, "only tcp and udp have ports");
    next(reader);
    if (!word_range(reader->word, 65535, &first, &last))
        return fail(reader, "a port is a number from 0 to 65535, or two with a hyphen between, the lower one first");
    end->first_port = (uint16_t)first;
    end->last_port = (uint16_t)last;
    next(reader);
    return true;
}

/* Behind "type"; the word behind it is read too. */
static bool read_type(struct reader *reader, struct rule *rule)
{
    uint32_t type;
    if (rule->any_protocol || rule->protocol != PROTOCOL_ICMP)
        return fail(reader, "only icmp has a type");
    next(reader);
    if (!word_number(reader->word, 255, &type))
        return fail(reader, "a type is a number from 0 to 255: 8 asks for an echo");
    rule->any_type = false;
    rule->type = (uint8_t)type;
    next(reader);
    return true;
}

static bool read_clauses(struct reader *reader, struct rule *rule)
{
    bool has_from = false, has_to = false;
    next(reader);
    while (reader->word.length > 0) {
        bool is_from = word_is(reader->word, "from"), is_to = word_is(reader->word, "to");
        bool is_type = word_is(reader->word, "type");
        if ((is_from && has_from) || (is_to && has_to) || (is_type && !rule->any_type))
            return fail(reader, "this stands twice in one rule");
        if (!is_from && !is_to && !is_type)
            return fail(reader, "here may stand: from ADDRESS, to ADDRESS, port PORT behind one of them, type TYPE, or # and a comment");
        has_from |= is_from;
        has_to |= is_to;
        if (!(is_type ? read_type(reader, rule) : read_end(reader, rule, is_from ? &rule->from : &rule->to)))
            return false;
    }
    return true;
}

/* Behind "report". */
static bool read_report(struct reader *reader, struct rules *rules)
{
    next(reader);
    if (!word_number(reader->word, REPORT_SECONDS_MAXIMUM, &rules->report_seconds) || rules->report_seconds == 0)
        return fail(reader, "report takes a number of seconds, 1 to 86400");
    next(reader);
    return reader->word.length == 0 || fail(reader, "behind report and its seconds stands nothing");
}

static bool read_rule(struct reader *reader, struct rules *rules, struct rule rule)
{
    if (rules->count == RULES_MAXIMUM)
        return fail(reader, "there may be 256 rules");
    rule.any_type = true;
    rule.from = rule.to = anywhere;
    if (!read_direction(reader, &rule) || !read_protocol(reader, &rule) || !read_clauses(reader, &rule))
        return false;
    rules->list[rules->count++] = rule;
    return true;
}

static bool read_line(struct reader *reader, struct rules *rules, unsigned number)
{
    next(reader);
    const char *start = reader->word.start;
    struct rule rule = {.line = number, .text = start, .length = (size_t)(reader->line.end - start)};
    if (reader->word.length == 0)
        return true;
    if (word_is(reader->word, "report"))
        return read_report(reader, rules);
    if (word_is(reader->word, "allow"))
        rule.action = ALLOW;
    else if (word_is(reader->word, "log"))
        rule.action = LOG;
    else if (!word_is(reader->word, "deny"))
        return fail(reader, "a line begins with allow, deny, log or report");
    return read_rule(reader, rules, rule);
}

bool rules_read(struct rules *rules, const char *text, size_t length, struct mistake *mistake)
{
    const char *end = text;
    while (end < text + length && *end != '\0')
        end++;
    rules->count = 0;
    rules->report_seconds = 0;
    unsigned number = 1;
    for (const char *at = text; at < end; number++) {
        const char *start = at;
        while (at < end && *at != '\n')
            at++;
        struct reader reader = {.line = {start, at}};
        if (!read_line(&reader, rules, number)) {
            *mistake = (struct mistake){number, reader.word.start, reader.word.length, reader.reason};
            return false;
        }
        if (at < end)
            at++;
    }
    *mistake = (struct mistake){.reason = "there is no rule: nothing would pass"};
    return rules->count > 0;
}

static bool end_matches(const struct end_pattern *end, uint32_t address, uint16_t port)
{
    return ((address ^ end->address) & end->mask) == 0 && port >= end->first_port && port <= end->last_port;
}

bool rule_matches(const struct rule *rule, const struct packet *packet, enum direction direction)
{
    const struct ends *ends = &packet->ends;
    if (packet->kind > KIND_ARP || (rule->directions & direction) == 0)
        return false;
    if (!rule->any_kind && rule->kind != packet->kind)
        return false;
    if (!rule->any_protocol && rule->protocol != ends->protocol)
        return false;
    if (!rule->any_type && rule->type != packet->icmp_type)
        return false;
    return end_matches(&rule->from, ends->source, ends->source_port) && end_matches(&rule->to, ends->target, ends->target_port);
}
