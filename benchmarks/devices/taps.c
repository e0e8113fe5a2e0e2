/*
 * A tap of our own, which goes with us, and the host's end of one: frames that its user shall find waiting.
 *
 * Their number must fit a tap's queue (1,000): what does not is lost. Ethernet type 0x88b5 is IEEE 802's for local experiments.
 */
#include "devices.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

void make_frame(uint8_t *frame)
{
    static const uint8_t header[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
    memset(frame, 0, FRAME);
    memcpy(frame, header, sizeof header);
}

bool is_ours(const uint8_t *frame)
{
    return frame[12] == 0x88 && frame[13] == 0xb5;
}

int open_tap(char name[16])
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    strcpy(request.ifr_name, "swiftlet-b%d");
    int tap = check(open("/dev/net/tun", O_RDWR | O_CLOEXEC), "/dev/net/tun");
    check(ioctl(tap, TUNSETIFF, &request), "TUNSETIFF");
    memcpy(name, request.ifr_name, 16);
    int any = check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    check(ioctl(any, SIOCGIFFLAGS, &request), "SIOCGIFFLAGS");
    request.ifr_flags |= IFF_UP;
    check(ioctl(any, SIOCSIFFLAGS, &request), "SIOCSIFFLAGS");
    close(any);
    return tap;
}

/* The kernel gives a tap its queue some time after it came up: before that, frames are lost. */
static void wait_until_up(const char *interface)
{
    char path[64], state[16] = "down";
    snprintf(path, sizeof path, "/sys/class/net/%s/operstate", interface);
    for (int tries = 0; tries < 5000 && strncmp(state, "down", 4) == 0; tries++) {
        int file = check(open(path, O_RDONLY | O_CLOEXEC), path);
        check(read(file, state, sizeof state), path);
        close(file);
        usleep(1000);
    }
}

/* Frames lie in the caches of the CPU that has sent them. Whoever takes them, on that CPU or on another, shall have them from
 * farther away: a cache of a core's own is smaller than this. */
static void leave_caches(void)
{
    static volatile uint8_t bytes[8 << 20];
    for (uint64_t i = 0; i < sizeof bytes; i += 64)
        bytes[i]++;
}

void feed(const char *interface, unsigned count)
{
    static int wire = -1;
    uint8_t frame[FRAME];
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
    if (wire < 0) {
        wire = check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "a packet socket");
        check(bind(wire, (struct sockaddr *)&address, sizeof address), interface);
        wait_until_up(interface);
    }
    make_frame(frame);
    for (unsigned i = 0; i < count; i++)
        if (check(send(wire, frame, sizeof frame, 0), "send") != FRAME)
            fail("a frame was cut short");
    leave_caches();
}
