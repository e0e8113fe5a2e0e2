/*
 * What the firewall says on its console: counts, lines of log rules, what is wrong with its rules.
 *
 * Read next: report.c.
 */
#ifndef FIREWALL_REPORT_H
#define FIREWALL_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "filter.h"

/* A line for each rule, and for each reason why a frame did not arrive. */
void report_counts(struct filter *filter, uint64_t now);

/* One line for a frame that a log rule is about; of many in one second only the first are shown, and how many there were. */
void report_log(const struct rule *rule, const struct packet *packet, enum direction direction, size_t length);

void report_mistake(const struct mistake *mistake);

#endif
