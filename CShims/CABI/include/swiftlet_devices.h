/*
 * Disks, network interfaces and rings: how an image asks for them, how it is told of them, and how it uses them.
 *
 * An image declares each device in an ELF note; the operator attaches one of that name (swiftlet run --block, --net), or
 * the machine does not start. Boot info leads to a table of them. A call moves one piece of data for one exit; a ring
 * moves any number without one. docs/devices.md explains it all. Read next: swiftlet_note.h.
 */
#ifndef SWIFTLET_DEVICES_H
#define SWIFTLET_DEVICES_H

#define SWIFTLET_NOTE_DEVICE 2 /* type of a device's note; owner and section are the Swiftlet note's */

#define SWIFTLET_DEVICE_BLOCK 1
#define SWIFTLET_DEVICE_NET 2
#define SWIFTLET_DEVICE_CONSOLE 3 /* the console, for rings; it is always there: nothing to attach */

#define SWIFTLET_DEVICES_MAX 16
#define SWIFTLET_DEVICE_NAME_SIZE 32 /* bytes with a NUL: up to 31 letters, digits, - and _ */

#define SWIFTLET_CALL_BLOCK 45
#define SWIFTLET_CALL_NET 46
#define SWIFTLET_CALL_RING 47

/* Operations, of calls and of ring entries alike. */
#define SWIFTLET_NET_SEND 1
#define SWIFTLET_NET_RECEIVE 2
#define SWIFTLET_BLOCK_READ 3
#define SWIFTLET_BLOCK_WRITE 4
#define SWIFTLET_BLOCK_FLUSH 5   /* what was written before is on the disk for good when it is done */
#define SWIFTLET_BLOCK_DISCARD 6 /* the range is no longer needed; its content afterwards is zeros or what it was */
#define SWIFTLET_CONSOLE_WRITE 7 /* in rings only */

/* Results: what can happen to a correct guest. 0 or more is success; -1 is SWIFTLET_TIMED_OUT. */
#define SWIFTLET_IO_ERROR (-2)     /* the host's disk or network failed; an unknown part was done */
#define SWIFTLET_NO_SPACE (-3)     /* the host's disk is full; an unknown part was written */
#define SWIFTLET_OUT_OF_RANGE (-4) /* not inside the disk: nothing was done */
#define SWIFTLET_READ_ONLY (-5)    /* nothing was done */
#define SWIFTLET_LINK_DOWN (-6)    /* the host has the interface down: the frame is lost */
#define SWIFTLET_DEVICE_GONE (-7)  /* the interface is gone for good */
#define SWIFTLET_BAD_ENTRY (-8)    /* in rings only: misuse, for which a call would have stopped the machine */

#define SWIFTLET_DEVICE_READ_ONLY 0x1 /* swiftlet_device.flags */

/* poll.events: a frame waits at device n; a completion waits in ring n. */
#define SWIFTLET_POLL_NET(device) (0x10000u << (device))
#define SWIFTLET_POLL_RING(ring) (0x100u << (ring))

#define SWIFTLET_RINGS_MAX 8
#define SWIFTLET_RING_ENTRIES_MAX 4096
#define SWIFTLET_DOORBELL_PORT 0x600 /* a 4-byte OUT of any value to 0x600 + ring wakes the ring's thread */
#define SWIFTLET_RING_SUBMISSIONS 128
#define SWIFTLET_RING_SIZE(entries) (128 + 48 * (uint64_t)(entries))

#ifndef __ASSEMBLER__
#include <stdint.h>

struct swiftlet_device_note {
    uint32_t name_size;       /* 9: "Swiftlet" and its NUL */
    uint32_t descriptor_size; /* 40 */
    uint32_t type;            /* SWIFTLET_NOTE_DEVICE */
    char owner[12];
    uint32_t kind;     /* SWIFTLET_DEVICE_... */
    uint32_t reserved; /* 0 */
    char name[SWIFTLET_DEVICE_NAME_SIZE];
};

/* An entry of boot info's table, in the order of the notes in the file. A device's number is its place in it. */
struct swiftlet_device {
    char name[SWIFTLET_DEVICE_NAME_SIZE];
    uint32_t kind;
    uint32_t flags;       /* SWIFTLET_DEVICE_READ_ONLY */
    uint64_t capacity;    /* block: bytes */
    uint32_t sector_size; /* block: bytes; a hint, transfers of any offset and length work */
    uint32_t mtu;         /* net: bytes behind a frame's header */
    uint32_t frame_size;  /* net: bytes of the largest frame; buffers to receive into are at least as long */
    uint8_t mac[6];       /* net */
    uint8_t reserved[14];
};

/* One operation on a disk. Returns when it is done. */
struct swiftlet_block {
    uint32_t device;
    uint32_t operation; /* SWIFTLET_BLOCK_... */
    uint64_t offset;    /* bytes; of no meaning to flush */
    uint64_t buffer;    /* of no meaning to flush and discard */
    uint64_t length;    /* bytes */
    int64_t result;     /* out: 0 or what went wrong */
};

/* One Ethernet frame. */
struct swiftlet_net {
    uint32_t device;
    uint32_t operation; /* SWIFTLET_NET_... */
    uint64_t buffer;
    uint64_t length;   /* bytes: of the frame, 14 to frame_size; to receive, of the buffer, frame_size at least */
    uint64_t deadline; /* clock time in ns, as of console_read: how long to wait for a frame, or for room to send one */
    int64_t result;    /* out: bytes of the frame, SWIFTLET_TIMED_OUT, or what went wrong */
};

/* Makes a ring of memory that the guest has zeroed and gives to it for good. */
struct swiftlet_ring_setup {
    uint64_t address; /* guest-physical, a multiple of 64; SWIFTLET_RING_SIZE bytes are memory there */
    uint32_t entries; /* a power of two, 2 to SWIFTLET_RING_ENTRIES_MAX */
    uint32_t ring;    /* out: its number */
    uint32_t vector;  /* of its interrupt, 32 to 255, with a handler; 0: it makes none */
    uint32_t reserved;
};

/*
 * A ring's memory: this, then entries submissions, then entries completions. Indices count up freely and wrap; the slot
 * is the index modulo entries. The guest writes the first line, the host the second: neither waits for the other's.
 */
struct swiftlet_ring {
    uint32_t submission_tail; /* guest: submissions made */
    uint32_t completion_head; /* guest: completions taken */
    uint32_t wants_interrupt; /* guest: completions that come while this is not 0 make the ring's interrupt */
    uint32_t pad0[13];
    uint32_t submission_head; /* host: submissions taken */
    uint32_t completion_tail; /* host: completions made */
    uint32_t needs_kick;      /* host: it sleeps; a guest that reads 1 after it has moved its tail rings the doorbell */
    uint32_t pad1[13];
};

struct swiftlet_ring_entry {
    uint32_t operation;
    uint32_t device;
    uint64_t buffer;
    uint32_t length;
    uint32_t id; /* the guest's own: comes back in the completion */
    uint64_t offset;
};

struct swiftlet_ring_completion {
    uint32_t id;
    int32_t result;  /* as of calls: 0 or negative */
    uint32_t length; /* net: bytes of the frame */
    uint32_t reserved;
};

_Static_assert(sizeof(struct swiftlet_device_note) == 64, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_device) == 80, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_block) == 40, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_net) == 40, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_ring) == SWIFTLET_RING_SUBMISSIONS, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_ring_entry) == 32, "part of the ABI");
_Static_assert(sizeof(struct swiftlet_ring_completion) == 16, "part of the ABI");
#endif

#endif
