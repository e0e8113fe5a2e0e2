/*
 * Runs all tests of the firewall's; status 1 when something does not hold.
 *
 * Read next: rules.c, packets.c, connections.c, filter.c.
 */
#include <stdio.h>

#include "tests.h"

static unsigned claims, failures;

void expect(bool holds, const char *claim, const char *file, int line, const char *what)
{
    claims++;
    if (holds)
        return;
    failures++;
    printf("%s:%d: %s does not hold: %s\n", file, line, claim, what);
}

int main(void)
{
    test_rules();
    test_packets();
    test_connections();
    test_filter();
    printf("firewall-tests: %u claims, %u do not hold\n", claims, failures);
    return failures > 0;
}
