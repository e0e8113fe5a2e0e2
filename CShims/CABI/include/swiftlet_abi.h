/*
 * The contract between Swiftlet and its guests, all of it: boot info, call page, calls, ELF note.
 *
 * The VMM (Swift), guests in C, assembly and Embedded Swift all read these headers, so there is one source of truth.
 * Rules: no includes beyond <stdint.h>; numbers are bare #define literals; structs stand behind __ASSEMBLER__;
 * fields are only ever appended. docs/ABI.md says the same in words. Read next: swiftlet_boot_info.h.
 */
#ifndef SWIFTLET_ABI_H
#define SWIFTLET_ABI_H

#define SWIFTLET_ABI_VERSION 1

#include "swiftlet_note.h"
#include "swiftlet_boot_info.h"
#include "swiftlet_call_page.h"
#include "swiftlet_calls.h"
#include "swiftlet_devices.h"
#include "swiftlet_vcpus.h"

#endif
