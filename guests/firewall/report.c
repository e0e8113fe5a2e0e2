/*
 * The implementation of report.h.
 *
 * The console may be slow and frames are many: so log lines are limited, and counts come when they are asked for. Read next:
 * forward.h.
 */
#include "guest.h"
#include "report.h"

#define LOG_LINES 10u /* a second */
#define SHOWN 100u    /* characters of a text from outside */

/* Text from outside as one that a terminal can be given. */
struct shown {
    char text[SHOWN + 1];
};

static struct shown show(const char *text, size_t length)
{
    struct shown shown = {""};
    for (size_t i = 0; i < length && i < SHOWN; i++)
        shown.text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '.';
    return shown;
}

void report_counts(struct filter *filter, uint64_t now)
{
    track_expire(&filter->track, now);
    print("firewall: after %lu s %u connections, %lu gave way to others\n", now / SECONDS, filter->track.count,
          filter->track.evicted);
    print("    frames    replies          bytes  rule\n");
    for (unsigned index = 0; index < filter->rules.count; index++) {
        const struct rule *rule = &filter->rules.list[index];
        struct shown shown = show(rule->text, rule->length);
        print("%10lu %10lu %14lu  %s\n", rule->frames, rule->replies, rule->bytes, shown.text);
    }
    for (int reason = 0; reason < REASONS; reason++) {
        const struct tally *lost = &filter->lost[reason];
        if (lost->frames > 0)
            print("%10lu          - %14lu  lost: %s\n", lost->frames, lost->bytes, reason_name((enum reason)reason));
    }
}

/* Whether there may be a line now; before the first of a second it says how many there were none of. */
static bool may_log(void)
{
    static uint64_t second, count;
    uint64_t now = clock_now() / SECONDS;
    if (now != second) {
        if (count > LOG_LINES)
            print("log: %lu more\n", count - LOG_LINES);
        second = now;
        count = 0;
    }
    return ++count <= LOG_LINES;
}

#define BYTES(address) (address) >> 24, (address) >> 16 & 255, (address) >> 8 & 255, (address) & 255

void report_log(const struct rule *rule, const struct packet *packet, enum direction direction, size_t length)
{
    const struct ends *ends = &packet->ends;
    const char *way = direction == OUT ? "out" : "in";
    if (!may_log())
        return;
    if (packet->kind == KIND_IP && (ends->protocol == PROTOCOL_TCP || ends->protocol == PROTOCOL_UDP))
        print("log: line %u: %s %s %u.%u.%u.%u:%u > %u.%u.%u.%u:%u, %lu bytes\n", rule->line, way,
              ends->protocol == PROTOCOL_TCP ? "tcp" : "udp", BYTES(ends->source), ends->source_port, BYTES(ends->target),
              ends->target_port, length);
    else
        print("log: line %u: %s %s %u.%u.%u.%u > %u.%u.%u.%u, %lu bytes\n", rule->line, way,
              packet->kind == KIND_ARP               ? "arp"
              : ends->protocol == PROTOCOL_ICMP ? "icmp"
                                                : "ip", BYTES(ends->source), BYTES(ends->target), length);
}

void report_mistake(const struct mistake *mistake)
{
    struct shown shown = show(mistake->word, mistake->length);
    if (mistake->line == 0)
        print("firewall: %s\n", mistake->reason);
    else if (mistake->length > 0)
        print("firewall: line %u: '%s': %s\n", mistake->line, shown.text, mistake->reason);
    else
        print("firewall: line %u: %s\n", mistake->line, mistake->reason);
}
