/*
 * netecho: answers ARP and ping, and UDP datagrams to port 7 with themselves, at the address 10.0.0.2 (or the argument's).
 *
 *   netecho [ADDRESS] [FRAMES]   ends with status 0 after so many answers (default: never), with 1 when the network is gone
 *
 * A frame is answered in place: addresses are swapped, and one checksum is mended by what changed in it (RFC 1624).
 */
#include "guest.h"

DECLARE_DEVICE(net_note, SWIFTLET_DEVICE_NET, "net");

static uint8_t address[4] = {10, 0, 0, 2};
static const struct swiftlet_device *device;

static void swap(uint8_t *left, uint8_t *right, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = left[i];
        left[i] = right[i];
        right[i] = byte;
    }
}

/* RFC 826: who has our address? Returns the answer's length, 0 for none. */
static size_t answer_arp(uint8_t *frame, size_t length)
{
    static const uint8_t request[8] = {0, 1, 8, 0, 6, 4, 0, 1}; /* Ethernet, IPv4, their sizes, request */
    uint8_t *arp = frame + 14;
    if (length < 42 || memcmp(arp, request, 8) != 0 || memcmp(arp + 24, address, 4) != 0)
        return 0;
    put16(arp + 6, 2);
    memcpy(arp + 18, arp + 8, 10); /* the asker becomes the target */
    memcpy(arp + 8, device->mac, 6);
    memcpy(arp + 14, address, 4);
    return length;
}

/* RFC 792 and RFC 862. */
static size_t answer_ip(uint8_t *frame, size_t length)
{
    uint8_t *ip = frame + 14;
    if (length < 34 || ip[0] != 0x45 || memcmp(ip + 16, address, 4) != 0 || (get16(ip + 6) & 0x3fff) != 0)
        return 0;
    size_t size = get16(ip + 2);
    uint8_t *payload = ip + 20;
    if (size < 28 || size > length - 14)
        return 0;
    if (ip[9] == 1 && payload[0] == 8) { /* an echo request becomes the reply: 8 becomes 0 */
        payload[0] = 0;
        uint32_t sum = get16(payload + 2) + 0x800u;
        put16(payload + 2, (uint16_t)(sum + (sum >> 16)));
    } else if (ip[9] == 17 && get16(payload + 2) == 7) { /* swapping ports leaves the sum as it is */
        swap(payload, payload + 2, 2);
    } else {
        return 0;
    }
    swap(ip + 12, ip + 16, 4);
    return length;
}

static size_t answer(uint8_t *frame, size_t length)
{
    if (length < 14)
        return 0;
    size_t size = get16(frame + 12) == 0x806   ? answer_arp(frame, length)
                  : get16(frame + 12) == 0x800 ? answer_ip(frame, length)
                                               : 0;
    memcpy(frame, frame + 6, 6);
    memcpy(frame + 6, device->mac, 6);
    return size;
}

/* Dotted decimal at the start of the command line, if it begins with a digit. */
static void take_address(const char *text)
{
    if (*text < '0' || *text > '9')
        return;
    for (int i = 0; i < 4; i++, text++)
        for (address[i] = 0; *text >= '0' && *text <= '9'; text++)
            address[i] = (uint8_t)(address[i] * 10 + (*text - '0'));
}

int main(const struct swiftlet_boot_info *boot)
{
    uint32_t net = device_find("net");
    device = device_table() + net;
    take_address((const char *)boot->command_line);
    uint8_t *frame = allocate(device->frame_size);
    uint64_t left = argument_number(1, ~0ul);
    print("%u.%u.%u.%u answers ARP and ping\n", address[0], address[1], address[2], address[3]);
    while (left > 0) {
        int64_t length = net_receive(net, frame, device->frame_size, SWIFTLET_NO_DEADLINE);
        if (length == SWIFTLET_TIMED_OUT)
            continue;
        check(length != SWIFTLET_DEVICE_GONE, "the network is still there");
        check(length > 0, "a frame is received");
        size_t size = answer(frame, (size_t)length);
        if (size == 0)
            continue;
        int64_t sent = net_send(net, frame, size);
        check(sent == (int64_t)size || sent == SWIFTLET_LINK_DOWN, "an answer is sent");
        left--;
    }
    return 0;
}
