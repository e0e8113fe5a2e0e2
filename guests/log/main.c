/*
 * log: one line for the operator at each level, on swiftlet's standard error and not among the guest's output. Control
 * characters reach the operator's terminal as dots.
 */
#include "guest.h"

static void log(uint32_t level, const char *text)
{
    call_log(level, text, (uint32_t)strlen(text));
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    log(SWIFTLET_LOG_ERROR, "the disk is on fire");
    log(SWIFTLET_LOG_WARNING, "the disk is warm");
    log(SWIFTLET_LOG_INFO, "there is a disk");
    log(SWIFTLET_LOG_DEBUG, "looking for a disk");
    log(SWIFTLET_LOG_INFO, "escape \x1b[2J and tab\there");
    print("logged\n");
    return 0;
}
