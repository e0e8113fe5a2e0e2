/*
 * Moving frames between the two networks, as long as both are there.
 *
 * Read next: forward.c.
 */
#ifndef FIREWALL_FORWARD_H
#define FIREWALL_FORWARD_H

#include "filter.h"

/* Forwards until somebody types q, which is 0, or a network is gone, which is 1. */
int forward(struct filter *filter);

#endif
