/*
 * linux-init -- all of the user land of the appliance's Linux guest: a prompt, `ping` and `udp` to somebody on its network,
 * `poweroff`, and an echo of every other line.
 *
 * It shows that an unmodified Linux reaches user land as a machine of the catalogue, and what the firewall lets through from
 * outside, where it is 10.0.0.1. Read next: catalogue/linux.toml.
 */
#include "modules.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/utsname.h>

#define PATIENCE 5 /* seconds */

/* `ip addr add ADDRESS dev eth0; ip link set eth0 up` (netdevice(7)); the network is the one of the address's class. */
static void set_address(const char *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {.ifr_name = "eth0"};
    struct sockaddr_in own = {.sin_family = AF_INET};
    inet_pton(AF_INET, address, &own.sin_addr);
    memcpy(&request.ifr_addr, &own, sizeof own);
    if (ioctl(fd, SIOCSIFADDR, &request) < 0)
        perror("eth0");
    request.ifr_flags = IFF_UP;
    ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
}

/* Whether a message has an answer. */
static bool is_answered(int fd, const char *address, int port, const void *message, size_t size)
{
    struct sockaddr_in other = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = PATIENCE};
    char answer[256];
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    bool is = inet_pton(AF_INET, address, &other.sin_addr) == 1 && connect(fd, (struct sockaddr *)&other, sizeof other) == 0 &&
              send(fd, message, size, 0) == (ssize_t)size && recv(fd, answer, sizeof answer, 0) > 0;
    close(fd);
    return is;
}

static bool ping(const char *address)
{
    static const uint8_t echo[8] = {8, 0, 0xf7, 0xff}; /* RFC 792: type 8, its checksum; identifier and sequence number 0 */
    return is_answered(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), address, 0, echo, sizeof echo);
}

static bool udp(const char *address, int port)
{
    return is_answered(socket(AF_INET, SOCK_DGRAM, 0), address, port, "hello", 5);
}

static void obey(const char *line)
{
    char address[16];
    int port;
    if (sscanf(line, "ping %15s", address) == 1)
        printf("%s %s\n", address, ping(address) ? "answers" : "does not answer");
    else if (sscanf(line, "udp %15s %d", address, &port) == 2)
        printf("%s %s at port %d\n", address, udp(address, port) ? "answers" : "does not answer", port);
    else
        printf("you said: %s", line);
}

int main(void)
{
    struct utsname name;
    char line[256];
    mount("proc", "/proc", "proc", 0, NULL);
    load_modules("/modules");
    set_address("10.0.0.1");
    uname(&name);
    printf("\nLinux %s as a guest: say something, ping ADDRESS, udp ADDRESS PORT, or poweroff\n", name.release);
    for (printf("> "), fflush(stdout); fgets(line, sizeof line, stdin); printf("> "), fflush(stdout)) {
        if (strncmp(line, "poweroff", 8) == 0)
            break;
        obey(line);
    }
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}
