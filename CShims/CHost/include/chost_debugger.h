/*
 * A TCP socket that listens on this host alone, for a debugger.
 *
 * Read next: Sources/Host/LoopbackSocket.swift.
 */
#ifndef CHOST_DEBUGGER_H
#define CHOST_DEBUGGER_H

#include "chost_service.h"
#include <netinet/in.h>

/* Bound to 127.0.0.1 and listening for one; not blocking. */
static inline long chost_listen_loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0) {
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

#endif
