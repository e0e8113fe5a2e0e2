/*
 * Shows: a network interface by call and by ring. Sends a greeting, then every frame of type 0x88b5 (for experiments) back
 * to where it came from, until one has 'q' as its first byte of data.
 *
 * "ring" as argument: by the ring. Read next: ../README.md.
 */
#include "hvt.h"

HVT_MANIFEST({.name = "service", .type = HVT_NET});

static uint8_t frame[2048], greeting[2048];
static struct hvt_ring *ring;

static void ring_submit(uint32_t operation, uint8_t *data, uint32_t length)
{
    struct hvt_submission *slot = &ring->submission[ring->submitted % 1024];
    *slot = (struct hvt_submission){operation, 1, (uint64_t)data, length, ring->submitted, 0};
    __atomic_store_n(&ring->submitted, ring->submitted + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (ring->needs_kick)
        hvt_out(0x600, 0);
}

static void send(uint8_t *data, uint32_t length)
{
    if (ring)
        return ring_submit(1, data, length);
    struct hvt_net call = {1, (uint64_t)data, length, 99};
    hvt_call(HVT_NET_WRITE, &call);
    hvt_check(call.result == HVT_OK, "a frame is sent");
}

/* Bytes, or 0 when there is no frame. */
static uint32_t receive(void)
{
    if (!ring) {
        struct hvt_net call = {1, (uint64_t)frame, sizeof frame, 99};
        hvt_call(HVT_NET_READ, &call);
        hvt_check(call.result == HVT_OK || call.result == HVT_AGAIN, "a frame is received, or there is none");
        return call.result == HVT_OK ? (uint32_t)call.length : 0;
    }
    uint32_t id = ring->submitted;
    ring_submit(2, frame, 1514);
    while (__atomic_load_n(&ring->completed, __ATOMIC_ACQUIRE) == ring->taken)
        __asm__ volatile("pause");
    volatile struct hvt_completion *slot = &ring->completion[ring->taken % 1024];
    hvt_check(slot->id == id, "the completion is the read's");
    hvt_check(slot->result == HVT_OK || slot->result == HVT_AGAIN, "a frame comes by the ring, or there is none");
    uint32_t length = slot->result == HVT_OK ? slot->length : 0;
    ring->taken = ring->taken + 1;
    return length;
}

static void wait(void)
{
    struct hvt_poll poll = {20000000000ull, 0, 0};
    hvt_call(HVT_POLL, &poll);
    hvt_check(poll.result == 1 && poll.ready_set == 2, "a frame comes within 20 s");
}

static void write_greeting(const uint8_t *mac)
{
    for (int i = 0; i < 6; i++) {
        greeting[i] = 0xff;
        greeting[6 + i] = mac[i];
    }
    greeting[12] = 0x88;
    greeting[13] = 0xb5;
    greeting[14] = 'g';
    send(greeting, 60);
}

int hvt_main(const struct hvt_boot_info *info)
{
    const struct hvt_entry *net = &info->manifest->entry[1];
    hvt_check(net->attached && net->net.mtu >= 576, "the interface is attached and has an MTU");
    hvt_check(info->host_features == 1 && (uint64_t)info->ring == info->memory_size, "there is a ring behind memory");
    if (hvt_equal(info->command_line, "ring"))
        ring = info->ring;
    struct hvt_net wrong = {2, (uint64_t)frame, 60, 99};
    hvt_call(HVT_NET_WRITE, &wrong);
    hvt_check(wrong.result == HVT_INVALID, "handle 2 is no interface");
    write_greeting(net->net.mac);
    for (;;) {
        wait();
        uint32_t length = receive();
        if (length < 15 || frame[12] != 0x88 || frame[13] != 0xb5)
            continue;
        if (frame[14] == 'q')
            break;
        for (int i = 0; i < 6; i++) {
            frame[i] = frame[6 + i];
            frame[6 + i] = net->net.mac[i];
        }
        send(frame, length);
    }
    hvt_puts("hvt-net: ok\n");
    return 0;
}
