/*
 * netbench: a network by call and by ring.
 *
 *   netbench reflect HOW COUNT            sends back COUNT frames of type 0x88b5 with their addresses swapped
 *   netbench send HOW COUNT DEPTH SIZE    sends COUNT frames, the ring DEPTH at once; prints the nanoseconds of one, 50 times
 *   netbench receive HOW COUNT DEPTH      for each line of its input takes COUNT frames of type 0x88b5, which should wait then;
 *                                         prints the nanoseconds of one, between the first and the last
 *
 * HOW is call or ring. Without arguments it says what it knows of its network.
 */
#include "guest.h"

DECLARE_DEVICE(net_note, SWIFTLET_DEVICE_NET, "net");

#define DEPTH_MAXIMUM 256u
#define SAMPLES 50

static uint32_t net;
static uint64_t room; /* bytes between two buffers */
static uint8_t *frames;
static struct ring ring;

static uint8_t *frame(uint32_t number)
{
    return frames + number % DEPTH_MAXIMUM * room;
}

static bool is_ours(const uint8_t *at)
{
    return at[12] == 0x88 && at[13] == 0xb5; /* IEEE 802, local experiments */
}

static void submit(uint32_t operation, uint32_t number, uint64_t length)
{
    struct swiftlet_ring_entry entry = {
        .operation = operation, .device = net, .buffer = (uint64_t)frame(number), .length = (uint32_t)length, .id = number};
    ring_submit(&ring, &entry);
}

/* Takes the next answer, which must be a good one; which buffer it is about. */
static uint32_t answered(uint32_t *length)
{
    struct swiftlet_ring_completion completion;
    ring_wait(&ring, &completion);
    check(completion.result == 0, "a frame is moved by ring");
    *length = completion.length;
    return completion.id;
}

static void send_by_call(void *from, uint64_t length)
{
    check(net_send(net, from, length) == (int64_t)length, "a frame is sent by call");
}

static uint64_t receive_by_call(void)
{
    for (;;) {
        int64_t length = net_receive(net, frames, room, SWIFTLET_NO_DEADLINE);
        check(length > 0 || length == SWIFTLET_TIMED_OUT, "a frame is received by call");
        if (length > 0 && is_ours(frames))
            return (uint64_t)length;
    }
}

static void turn_round(uint8_t *at)
{
    uint8_t other[6];
    memcpy(other, at, 6);
    memcpy(at, at + 6, 6);
    memcpy(at + 6, other, 6);
}

static void reflect_by_call(uint64_t count)
{
    while (count-- > 0) {
        uint64_t length = receive_by_call();
        turn_round(frames);
        send_by_call(frames, length);
    }
}

/* Every buffer is a receive that waits, or a send under way. */
static void reflect_by_ring(uint64_t count)
{
    static bool sends[DEPTH_MAXIMUM];
    for (uint32_t number = 0; number < 16; number++)
        submit(SWIFTLET_NET_RECEIVE, number, room);
    ring_kick(&ring);
    while (count > 0) {
        uint32_t length, number = answered(&length);
        if (sends[number]) {
            count--;
            sends[number] = false;
            submit(SWIFTLET_NET_RECEIVE, number, room);
        } else if (is_ours(frame(number))) {
            turn_round(frame(number));
            sends[number] = true;
            submit(SWIFTLET_NET_SEND, number, length);
        } else {
            submit(SWIFTLET_NET_RECEIVE, number, room);
        }
        ring_kick(&ring);
    }
}

static uint64_t send_all(bool by_ring, uint64_t count, uint32_t depth, uint64_t size)
{
    uint64_t start = clock_now(), submitted = 0;
    for (uint64_t done = 0; done < count; done++) {
        if (!by_ring) {
            send_by_call(frames, size);
            continue;
        }
        for (; submitted < count && submitted < done + depth; submitted++)
            submit(SWIFTLET_NET_SEND, (uint32_t)submitted, size);
        ring_kick(&ring);
        uint32_t length;
        answered(&length);
    }
    return clock_now() - start;
}

static uint64_t receive_all_by_call(uint64_t count)
{
    receive_by_call();
    uint64_t start = clock_now();
    for (uint64_t done = 1; done < count; done++)
        receive_by_call();
    return clock_now() - start;
}

/*
 * A buffer that was answered is the next to be submitted: few buffers stay in the caches. No more receives are submitted than
 * frames are wanted, so that none is left to take the next line's.
 */
static uint64_t receive_all_by_ring(uint64_t count, uint32_t depth)
{
    uint64_t start = 0, submitted = 0;
    for (; submitted < count && submitted < depth; submitted++)
        submit(SWIFTLET_NET_RECEIVE, (uint32_t)submitted, room);
    for (uint64_t done = 0; done < count;) {
        ring_kick(&ring);
        uint32_t length, number = answered(&length);
        bool ours = is_ours(frame(number));
        if (ours && done++ == 0)
            start = clock_now();
        if (ours && submitted == count)
            continue;
        submitted += ours;
        submit(SWIFTLET_NET_RECEIVE, number, room);
    }
    return clock_now() - start;
}

static void receive_by_lines(bool by_ring, uint64_t count, uint32_t depth)
{
    char letter;
    while (console_read(&letter, 1) == 1)
        if (letter == '\n')
            print("nanoseconds %lu\n",
                  (by_ring ? receive_all_by_ring(count, depth) : receive_all_by_call(count)) / (count - 1));
}

int main(const struct swiftlet_boot_info *boot)
{
    net = device_find("net");
    const struct swiftlet_device *device = device_table() + net;
    if (boot->command_line_size == 0) {
        print("mtu %u, frames of up to %u bytes, %02x:%02x:%02x:%02x:%02x:%02x\n", device->mtu, device->frame_size,
              device->mac[0], device->mac[1], device->mac[2], device->mac[3], device->mac[4], device->mac[5]);
        return 0;
    }
    bool by_ring = argument_is(1, "ring");
    check(argument_is(0, "send") || argument_is(0, "reflect") || argument_is(0, "receive"), "the first word is reflect, send or receive");
    check(by_ring || argument_is(1, "call"), "HOW is call or ring");
    room = ((uint64_t)device->frame_size + 63) & ~63ul;
    frames = allocate(DEPTH_MAXIMUM * room);
    ring_make(&ring, DEPTH_MAXIMUM, 0);
    uint64_t count = argument_number(2, 1000), depth = argument_number(3, 1), size = argument_number(4, 64);
    check(count > 0 && depth >= 1 && depth <= DEPTH_MAXIMUM && size >= 14 && size <= device->frame_size, "arguments in range");
    for (uint32_t number = 0; number < DEPTH_MAXIMUM; number++) {
        memset(frame(number), 0xff, 6);
        memcpy(frame(number) + 6, device->mac, 6);
        memcpy(frame(number) + 12, "\x88\xb5", 2);
    }
    print("ready\n");
    if (argument_is(0, "reflect")) {
        if (by_ring)
            reflect_by_ring(count);
        else
            reflect_by_call(count);
        return 0;
    }
    if (argument_is(0, "receive")) {
        check(count > 1, "several frames to receive");
        receive_by_lines(by_ring, count, (uint32_t)depth);
        return 0;
    }
    int64_t samples[SAMPLES];
    for (unsigned sample = 0; sample < SAMPLES; sample++)
        samples[sample] = (int64_t)(send_all(by_ring, count, (uint32_t)depth, size) / count);
    print_numbers("nanoseconds", samples, SAMPLES);
    return 0;
}
