/*
 * The whole firewall, but for where its rules come from, which is what the images differ in.
 *
 * Read next: appliance.c.
 */
#ifndef FIREWALL_APPLIANCE_H
#define FIREWALL_APPLIANCE_H

#include <stddef.h>

/* Forwards by the rules of a text, until its end or that of a network; what main returns. */
int firewall(const char *text, size_t length);

#endif
