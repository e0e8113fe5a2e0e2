/*
 * What a frame says, as far as rules ask for it. Frames are hostile: what is not wholly understood has a kind of its own,
 * that no rule matches, so that it is denied.
 *
 * Read next: packet.c.
 */
#ifndef FIREWALL_PACKET_H
#define FIREWALL_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which way a frame goes: from the network inside to the one outside, or back. */
enum direction { OUT = 1, IN = 2 };

enum kind {
    KIND_IP,
    KIND_ARP,
    /* No rule matches what follows. */
    KIND_SHORT,     /* cut off: what a length or a header promises is not there */
    KIND_MALFORMED, /* not as its RFC says: a bad version, length, checksum */
    KIND_FRAGMENT,  /* of an IPv4 packet: ports are in the first one only */
    KIND_OPTIONS,   /* IPv4 with options: source routes among them */
    KIND_VLAN,      /* a tag in front of the packet */
    KIND_IPV6,
    KIND_OTHER, /* another type, or IEEE 802.3 */
    KINDS,
};

/* Of IPv4 (IANA, Protocol Numbers). */
#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

/* Of TCP's thirteenth byte (RFC 9293, 3.1). */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* Of ICMP (RFC 792). */
#define ICMP_ECHO_REPLY 0
#define ICMP_UNREACHABLE 3
#define ICMP_ECHO 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER_PROBLEM 12

/* The two ends of a packet, in the host's byte order. */
struct ends {
    uint8_t protocol;
    uint32_t source, target; /* of ARP the sender's and the target's protocol addresses */
    uint16_t source_port, target_port; /* 0 where a protocol has none; an echo's identifier is the port of who asked */
};

struct packet {
    enum kind kind;
    struct ends ends;
    uint8_t tcp_flags;
    uint8_t icmp_type;
    bool has_quote;    /* an ICMP error that quotes the packet which it is about */
    struct ends quote; /* that packet's */
};

/* Reads a frame without its checksum; nothing behind its length is looked at. */
struct packet packet_read(const uint8_t *frame, size_t length);

#endif
