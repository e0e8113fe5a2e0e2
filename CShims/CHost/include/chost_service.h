/*
 * What `serve`, `call`, `clone`, `host` and debuggers need of the host and Swift cannot see: sockets, epoll, fork, limits, files in memory.
 *
 * An ordinary `run` uses none of it. Everything is static inline; functions return their result or -errno.
 * Read next: Sources/Host/StreamSocket.swift.
 */
#ifndef CHOST_SERVICE_H
#define CHOST_SERVICE_H

#include "chost.h"
#include <netinet/in.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Sockets. SOCK_... are an enum that C mixes with its flags, and sockaddr_un's path is an array: unix(7). */
static inline long chost_socket(int blocking)
{
    return chost_result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0));
}
/* Its bytes and one 0; 0 when the path does not fit (108 bytes with its end, unix(7)). */
static inline socklen_t chost_socket_address(struct sockaddr_un *address, const char *path)
{
    size_t length = strlen(path);
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (length == 0 || length >= sizeof address->sun_path)
        return 0;
    memcpy(address->sun_path, path, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}
/* The file's mode is the socket's own, less the umask: so it is never, not for an instant, another one's to open. */
static inline long chost_bind(int fd, const char *path, mode_t mode)
{
    struct sockaddr_un address;
    socklen_t size = chost_socket_address(&address, path);
    if (size == 0)
        return -ENAMETOOLONG;
    if (fchmod(fd, mode) < 0)
        return -errno;
    return chost_result(bind(fd, (struct sockaddr *)&address, size));
}
static inline long chost_connect(int fd, const char *path)
{
    struct sockaddr_un address;
    socklen_t size = chost_socket_address(&address, path);
    return size == 0 ? -ENAMETOOLONG : chost_result(connect(fd, (struct sockaddr *)&address, size));
}
/* A TCP socket that listens on 127.x.x.x; the address in host order. */
static inline long chost_listen_loopback(uint32_t address, uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0 || listen(fd, 16) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}
/* The port that it was given; 0 when the kernel does not tell. */
static inline uint16_t chost_port(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 ? ntohs(address.sin_port) : 0;
}
/* accept4 is a GNU extension: by system call. */
static inline long chost_accept(int fd)
{
    return chost_result(syscall(SYS_accept4, fd, (void *)0, (void *)0, SOCK_CLOEXEC | SOCK_NONBLOCK));
}
/* A peer that is gone is EPIPE and no signal. */
static inline long chost_send(int fd, const void *bytes, size_t count)
{
    return chost_result(send(fd, bytes, count, MSG_NOSIGNAL));
}
static inline long chost_receive(int fd, void *bytes, size_t count) { return chost_result(recv(fd, bytes, count, 0)); }

/* Epoll: its event is packed, and a union. One event a call: each of several threads takes one. */
static inline long chost_epoll(void) { return chost_result(epoll_create1(EPOLL_CLOEXEC)); }
static inline long chost_epoll_set(int epoll, int operation, int fd, uint32_t events, uint64_t id)
{
    struct epoll_event event = {.events = events, .data.u64 = id};
    return chost_result(epoll_ctl(epoll, operation, fd, &event));
}
/* The id of what is ready; 0 after the time limit (milliseconds, -1 none) or a signal. */
static inline uint64_t chost_epoll_next(int epoll, int milliseconds)
{
    struct epoll_event event;
    return epoll_wait(epoll, &event, 1, milliseconds) == 1 ? event.data.u64 : 0;
}

/* The calling process is killed when the thread that started it ends: prctl(2), PR_SET_PDEATHSIG. */
static inline void chost_end_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(125); /* it died before that was in force */
}

/* A child of a process that has one thread; Swift hides fork. It dies when its parent does, and has no handlers of ours. */
static inline long chost_fork(void)
{
    pid_t parent = getpid();
    long child = chost_result(fork());
    if (child != 0)
        return child;
    sigset_t none;
    sigemptyset(&none);
    for (int signal_number = 1; signal_number < 32; signal_number++)
        signal(signal_number, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    chost_end_with(parent);
    return 0;
}
/* Closes all descriptors above 2 but two, of which the first is the lower. */
static inline void chost_close_all_but(int first, int second)
{
    if (first > 3)
        syscall(SYS_close_range, 3, first - 1, 0);
    if (second > first + 1)
        syscall(SYS_close_range, first + 1, second - 1, 0);
    syscall(SYS_close_range, second + 1, ~0u, 0);
}

/* Raises the soft limit of open files to the hard one; the limit then. */
static inline uint64_t chost_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

/* A file in memory; the name is for /proc. Its number, because the function is a GNU extension. */
static inline long chost_memfd(const char *name)
{
    return chost_result(syscall(SYS_memfd_create, name, 1 /* MFD_CLOEXEC */));
}

#endif
