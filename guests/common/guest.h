/*
 * Everything a guest needs: the contract with the VMM and the tiny runtime around it.
 *
 * A guest is a `main` in a folder of its own: it gets boot info, and what it returns is swiftlet's exit status (0 to
 * 255). It runs wholly at CPL 3, on one vCPU until it starts others, with all its memory mapped at its own address. Swift sees this header as
 * `import Guest` (module.modulemap). Read next: calls.h, which is the whole way out of a guest.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swiftlet_abi.h"

#include "arguments.h"
#include "calls.h"
#include "check.h"
#include "clock.h"
#include "console.h"
#include "cpus.h"
#include "devices.h"
#include "exceptions.h"
#include "interrupts.h"
#include "memory.h"
#include "mmu.h"
#include "network.h"
#include "numbers.h"
#include "probe.h"
#include "ring.h"

/* Written once, before main runs. The call page is in calls.h. */
extern const struct swiftlet_boot_info *boot_info;

int main(const struct swiftlet_boot_info *boot);

#endif
