/*
 * firewall: Ethernet frames between two networks, inside and outside, by a list of rules (docs/firewall.md).
 *
 *   firewall RULE; RULE; ...     rules on the command line, with semicolons between them
 *   firewall                     rules in the file given with --module, one a line
 *
 * guests/firewall-disk is the same with its rules on a disk. Ends with status 0 when q is typed, with 1 when its rules are
 * wrong or a network is gone. Read next: appliance.c.
 */
#include "appliance.h"
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    if (boot->module != 0 && boot->command_line_size != 0) {
        print("firewall: rules stand in the module or on the command line, not in both\n");
        return 1;
    }
    if (boot->module != 0)
        return firewall((const char *)boot->module, boot->module_size);
    char *text = allocate(boot->command_line_size + 1);
    const char *line = (const char *)boot->command_line;
    for (uint64_t i = 0; i < boot->command_line_size; i++)
        text[i] = line[i] == ';' ? '\n' : line[i];
    return firewall(text, boot->command_line_size);
}
