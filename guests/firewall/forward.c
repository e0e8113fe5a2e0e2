/*
 * One ring for both networks: each of its buffers waits for a frame of its network, is looked at, and is sent on or waits
 * again. So the ring always has room, and frames keep their order.
 *
 * While frames come nobody leaves the guest; when none has come for a while it sleeps until one does, somebody types, or
 * counts are due. Read next: main.c.
 */
#include "forward.h"

#include "guest.h"
#include "report.h"

DECLARE_DEVICE(inside_note, SWIFTLET_DEVICE_NET, "inside");
DECLARE_DEVICE(outside_note, SWIFTLET_DEVICE_NET, "outside");

#define BUFFERS 64u /* of each network */
#define CONSOLE_PERIOD (100 * MILLISECONDS) /* how often a busy firewall looks whether somebody typed */

struct side {
    const char *name;
    uint32_t device;
    uint64_t frame_size;
    uint64_t room; /* bytes between two buffers */
    uint8_t *buffers;
};

/* Numbers below BUFFERS are buffers of the network inside. */
static struct side sides[2] = {{.name = "inside"}, {.name = "outside"}};
static bool is_sent[2 * BUFFERS];
static struct ring ring;

static void submit(uint32_t operation, uint32_t number, uint64_t length)
{
    const struct side *home = &sides[number / BUFFERS];
    const struct side *target = &sides[operation == SWIFTLET_NET_SEND ? 1 - number / BUFFERS : number / BUFFERS];
    struct swiftlet_ring_entry entry = {
        .operation = operation,
        .device = target->device,
        .buffer = (uint64_t)(home->buffers + number % BUFFERS * home->room),
        .length = (uint32_t)length,
        .id = number,
    };
    is_sent[number] = operation == SWIFTLET_NET_SEND;
    ring_submit(&ring, &entry);
}

static void receive(uint32_t number)
{
    submit(SWIFTLET_NET_RECEIVE, number, sides[number / BUFFERS].frame_size);
}

static void set_up(void)
{
    ring_make(&ring, 2 * BUFFERS, 0);
    for (uint32_t index = 0; index < 2; index++) {
        struct side *side = &sides[index];
        side->device = device_find(side->name);
        side->frame_size = device_table()[side->device].frame_size;
        side->room = (side->frame_size + 63) & ~63ul;
        side->buffers = allocate(BUFFERS * side->room);
        for (uint32_t number = 0; number < BUFFERS; number++)
            receive(index * BUFFERS + number);
    }
    ring_kick(&ring);
}

/* A frame that came: whether it goes on. */
static bool passes(struct filter *filter, uint32_t number, uint64_t length, uint64_t now)
{
    const struct side *home = &sides[number / BUFFERS];
    if (length > sides[1 - number / BUFFERS].frame_size) {
        filter_lost(filter, REASON_TOO_LONG, length);
        return false;
    }
    enum direction direction = number < BUFFERS ? OUT : IN;
    return filter_passes(filter, home->buffers + number % BUFFERS * home->room, length, direction, now);
}

/* False when a network cannot go on. */
static bool take(struct filter *filter, const struct swiftlet_ring_completion *completion, uint64_t now)
{
    uint32_t number = completion->id;
    bool failed = completion->result != 0;
    if (completion->result == SWIFTLET_DEVICE_GONE || (failed && !is_sent[number])) {
        uint32_t side = number / BUFFERS ^ is_sent[number];
        print("firewall: the network %s %s\n", sides[side].name, completion->result == SWIFTLET_DEVICE_GONE ? "is gone" : "failed");
        return false;
    }
    if (failed)
        filter_lost(filter, completion->result == SWIFTLET_LINK_DOWN ? REASON_LINK_DOWN : REASON_NOT_TAKEN, 0);
    if (!is_sent[number] && passes(filter, number, completion->length, now))
        submit(SWIFTLET_NET_SEND, number, completion->length);
    else
        receive(number);
    return true;
}

/* What is there, a first one given: false when a network cannot go on. */
static bool take_all(struct filter *filter, struct swiftlet_ring_completion completion)
{
    uint64_t now = clock_now();
    do
        if (!take(filter, &completion, now))
            return false;
    while (ring_take(&ring, &completion));
    ring_kick(&ring);
    return true;
}

/* What was typed: q ends, anything else asks for counts. At the end of input nobody will type any more. */
static bool was_told_to_end(struct filter *filter, uint32_t *events)
{
    char typed[64];
    int64_t count = call_console_read(typed, sizeof typed, 0);
    if (count == 0)
        *events &= ~(uint32_t)SWIFTLET_POLL_CONSOLE;
    for (int64_t i = 0; i < count; i++)
        if (typed[i] == 'q')
            return true;
    if (count > 0)
        report_counts(filter, clock_now());
    return false;
}

int forward(struct filter *filter)
{
    set_up();
    uint64_t period = filter->rules.report_seconds * SECONDS;
    uint64_t report_due = period > 0 ? clock_now() + period : SWIFTLET_NO_DEADLINE, look_due = 0;
    uint32_t events = SWIFTLET_POLL_CONSOLE | SWIFTLET_POLL_RING(ring.number);
    for (;;) {
        struct swiftlet_ring_completion completion;
        if (!ring_look(&ring, &completion)) {
            if ((call_poll(report_due, events) & SWIFTLET_POLL_CONSOLE) != 0)
                look_due = 0;
        } else if (!take_all(filter, completion)) {
            return 1;
        }
        uint64_t now = clock_now();
        if (now >= look_due && (events & SWIFTLET_POLL_CONSOLE) != 0) {
            if (was_told_to_end(filter, &events))
                return 0;
            look_due = now + CONSOLE_PERIOD;
        }
        if (now >= report_due) {
            report_counts(filter, now);
            report_due = now + period;
        }
    }
}
