/*
 * Traffic between two network namespaces: what one UDP datagram's way costs, and how many go at once.
 *
 *     flow FROM TO latency COUNT        round trips, one behind the other: nanoseconds, p50 and p99
 *     flow FROM TO rate SIZE SECONDS    datagrams a second in frames of SIZE bytes, up to 64 of them under way; and how many were lost
 *
 * FROM and TO are names of `ip netns`, with the addresses 10.9.0.1 and 10.9.0.2. Sender and receiver are threads of one process, so
 * that the sender knows what has arrived without a packet: the way back is free. Read next: run.sh.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 9000
#define HEADERS 42u /* Ethernet, IPv4, UDP */
#define WINDOW 64u
#define PATIENCE 1000000000ul /* ns without an arrival after which what is under way is lost */

static int sender, receiver;
static atomic_uint_fast64_t arrived;
static atomic_bool is_over;

static int check(int result, const char *step)
{
    if (result < 0) {
        fprintf(stderr, "flow: %s: %s\n", step, strerror(errno));
        exit(125);
    }
    return result;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static struct sockaddr_in address(unsigned host)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(0x0a090000 + host)};
}

/* A socket in a namespace, from one host to the other; waits for a second at most. */
static int open_socket(const char *namespace, unsigned host, unsigned other)
{
    char path[256];
    struct sockaddr_in us = address(host), them = address(other);
    struct timeval second = {.tv_sec = 1};
    int size = 4 << 20;
    snprintf(path, sizeof path, "/run/netns/%s", namespace);
    int file = check(open(path, O_RDONLY | O_CLOEXEC), path);
    check(setns(file, CLONE_NEWNET), "setns");
    close(file);
    int fd = check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second), "SO_RCVTIMEO");
    check(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size), "SO_RCVBUFFORCE");
    check(bind(fd, (struct sockaddr *)&us, sizeof us), "bind");
    check(connect(fd, (struct sockaddr *)&them, sizeof them), "connect");
    return fd;
}

static void *echo(void *unused)
{
    char bytes[2048];
    while (!atomic_load(&is_over)) {
        ssize_t count = recv(receiver, bytes, sizeof bytes, 0);
        if (count > 0)
            send(receiver, bytes, (size_t)count, 0);
    }
    return unused;
}

/* Those of a run before may still be under way: each datagram says whose it is. */
static void *count(void *unused)
{
    pid_t bytes[512], us = getpid();
    while (!atomic_load(&is_over))
        if (recv(receiver, bytes, sizeof bytes, 0) > 0 && bytes[0] == us)
            atomic_fetch_add(&arrived, 1);
    return unused;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* A round trip's nanoseconds; one that is lost is not a round trip. */
static bool round_trip(uint64_t *nanoseconds)
{
    char bytes[22] = "flow";
    uint64_t start = now();
    if (send(sender, bytes, sizeof bytes, 0) < 0 || recv(sender, bytes, sizeof bytes, 0) < 0)
        return false;
    *nanoseconds = now() - start;
    return true;
}

static void measure_latency(unsigned wanted)
{
    uint64_t *samples = calloc(wanted, sizeof *samples), warm_up;
    unsigned taken = 0, lost = 0;
    for (unsigned i = 0; i < wanted / 10 + 1; i++)
        round_trip(&warm_up);
    while (taken < wanted && lost < 10)
        if (round_trip(&samples[taken]))
            taken++;
        else
            lost++;
    if (taken < wanted) {
        fprintf(stderr, "flow: datagrams do not come back\n");
        exit(125);
    }
    qsort(samples, wanted, sizeof *samples, compare);
    printf("%lu %lu\n", samples[wanted / 2], samples[wanted * 99ul / 100]);
}

static void measure_rate(unsigned size, unsigned seconds)
{
    static pid_t bytes[512];
    bytes[0] = getpid();
    uint64_t start = now(), end = start + seconds * 1000000000ul, sent = 0, lost = 0, seen = 0, seen_at = start;
    while (now() < end) {
        uint64_t there = atomic_load(&arrived);
        if (there != seen) {
            seen = there;
            seen_at = now();
        }
        if (sent - lost - there < WINDOW) {
            sent += send(sender, bytes, size - HEADERS, 0) >= 0;
        } else if (now() - seen_at > PATIENCE) {
            lost = sent - there;
            seen_at = now();
        } else {
            sched_yield();
        }
    }
    printf("%lu %lu\n", atomic_load(&arrived) * 1000000000 / (now() - start), lost);
}

int main(int arguments_count, char **arguments)
{
    bool is_latency = arguments_count == 5 && strcmp(arguments[3], "latency") == 0;
    bool is_rate = arguments_count == 6 && strcmp(arguments[3], "rate") == 0;
    if (!is_latency && !is_rate)
        return fputs("usage: flow FROM TO latency COUNT|rate SIZE SECONDS\n", stderr), 2;
    sender = open_socket(arguments[1], 1, 2);
    receiver = open_socket(arguments[2], 2, 1);
    pthread_t thread;
    check(-pthread_create(&thread, NULL, is_latency ? echo : count, NULL), "a thread");
    if (is_latency)
        measure_latency((unsigned)atoi(arguments[4]));
    else
        measure_rate((unsigned)atoi(arguments[4]), (unsigned)atoi(arguments[5]));
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    return 0;
}
