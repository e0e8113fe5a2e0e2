/*
 * Which port a debugger may connect to.
 *
 * Read next: Sources/Host/LoopbackSocket.swift.
 */
#ifndef CHOST_DEBUGGER_H
#define CHOST_DEBUGGER_H

#include "chost_service.h"
#include <netinet/in.h>

/* The port that it was given; 0 when the kernel does not tell. */
static inline uint16_t chost_port(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 ? ntohs(address.sin_port) : 0;
}

#endif
