/*
 * From bytes to struct packet. Every header is taken from a view by one function, which knows how much is left: there is no
 * other way to the bytes.
 *
 * Read next: rules.h.
 */
#include "packet.h"

#include "network.h"

/* Bytes that are not read yet. */
struct view {
    const uint8_t *at;
    size_t left;
};

/* The next size bytes, or NULL when there are not so many. */
static const uint8_t *take(struct view *view, size_t size)
{
    if (view->left < size)
        return NULL;
    const uint8_t *taken = view->at;
    view->at += size;
    view->left -= size;
    return taken;
}

/* RFC 1071: the sum of a header with its checksum in it is all ones. */
static bool is_sum_right(const uint8_t *header, size_t size)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i += 2)
        sum += get16(header + i);
    sum = (sum & 0xffff) + (sum >> 16);
    return ((sum + (sum >> 16)) & 0xffff) == 0xffff;
}

/* RFC 826, of IPv4 over Ethernet and nothing else. */
static enum kind read_arp(struct packet *packet, struct view view)
{
    const uint8_t *arp = take(&view, 28);
    if (arp == NULL)
        return KIND_SHORT;
    bool is_ours = get16(arp) == 1 && get16(arp + 2) == 0x800 && arp[4] == 6 && arp[5] == 4;
    uint16_t operation = get16(arp + 6);
    if (!is_ours || (operation != 1 && operation != 2))
        return KIND_MALFORMED;
    packet->ends.source = get32(arp + 14);
    packet->ends.target = get32(arp + 24);
    return KIND_ARP;
}

/* Ports from the first 8 bytes behind an IPv4 header, which quotes have too. */
static void read_ports(struct ends *ends, const uint8_t *start)
{
    if (ends->protocol == PROTOCOL_TCP || ends->protocol == PROTOCOL_UDP) {
        ends->source_port = get16(start);
        ends->target_port = get16(start + 2);
    } else if (ends->protocol == PROTOCOL_ICMP && start[0] == ICMP_ECHO) {
        ends->source_port = get16(start + 4);
    } else if (ends->protocol == PROTOCOL_ICMP && start[0] == ICMP_ECHO_REPLY) {
        ends->target_port = get16(start + 4);
    }
}

/* RFC 792: an error carries the header of the packet that it is about, and 8 bytes more. A quote that is not of this form is
 * none: the error is a packet like any other then. */
static bool read_quote(struct ends *quote, struct view view)
{
    const uint8_t *ip = take(&view, 20);
    const uint8_t *start = take(&view, 8);
    if (ip == NULL || start == NULL || ip[0] != 0x45 || (get16(ip + 6) & 0x1fff) != 0)
        return false;
    *quote = (struct ends){.protocol = ip[9], .source = get32(ip + 12), .target = get32(ip + 16)};
    read_ports(quote, start);
    return true;
}

static enum kind read_icmp(struct packet *packet, struct view view)
{
    const uint8_t *icmp = take(&view, 8);
    if (icmp == NULL)
        return KIND_SHORT;
    packet->icmp_type = icmp[0];
    read_ports(&packet->ends, icmp);
    bool is_error = icmp[0] == ICMP_UNREACHABLE || icmp[0] == ICMP_TIME_EXCEEDED || icmp[0] == ICMP_PARAMETER_PROBLEM;
    packet->has_quote = is_error && read_quote(&packet->quote, view);
    return KIND_IP;
}

static enum kind read_tcp(struct packet *packet, struct view view)
{
    const uint8_t *tcp = take(&view, 20);
    if (tcp == NULL)
        return KIND_SHORT;
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    if (header < 20)
        return KIND_MALFORMED;
    if (take(&view, header - 20) == NULL)
        return KIND_SHORT;
    packet->tcp_flags = tcp[13];
    read_ports(&packet->ends, tcp);
    return KIND_IP;
}

static enum kind read_udp(struct packet *packet, struct view view)
{
    size_t size = view.left;
    const uint8_t *udp = take(&view, 8);
    if (udp == NULL)
        return KIND_SHORT;
    if (get16(udp + 4) < 8 || get16(udp + 4) > size)
        return KIND_MALFORMED;
    read_ports(&packet->ends, udp);
    return KIND_IP;
}

static enum kind read_payload(struct packet *packet, struct view view)
{
    switch (packet->ends.protocol) {
    case PROTOCOL_ICMP: return read_icmp(packet, view);
    case PROTOCOL_TCP: return read_tcp(packet, view);
    case PROTOCOL_UDP: return read_udp(packet, view);
    default: return KIND_IP;
    }
}

/* RFC 791. What is behind the packet's own length is Ethernet's padding. */
static enum kind read_ip(struct packet *packet, struct view view)
{
    size_t frame_left = view.left;
    const uint8_t *ip = take(&view, 20);
    if (ip == NULL)
        return KIND_SHORT;
    if (ip[0] >> 4 != 4 || (ip[0] & 15) < 5)
        return KIND_MALFORMED;
    if ((ip[0] & 15) > 5)
        return KIND_OPTIONS;
    size_t size = get16(ip + 2);
    if (size < 20 || !is_sum_right(ip, 20))
        return KIND_MALFORMED;
    if (size > frame_left)
        return KIND_SHORT;
    /* The bit for more fragments, and the offset: of the three flags the first must be 0. */
    if ((get16(ip + 6) & 0x3fff) != 0)
        return KIND_FRAGMENT;
    if ((get16(ip + 6) & 0x8000) != 0)
        return KIND_MALFORMED;
    packet->ends.protocol = ip[9];
    packet->ends.source = get32(ip + 12);
    packet->ends.target = get32(ip + 16);
    view.left = size - 20;
    return read_payload(packet, view);
}

struct packet packet_read(const uint8_t *frame, size_t length)
{
    struct packet packet = {.kind = KIND_SHORT};
    struct view view = {frame, length};
    const uint8_t *ethernet = take(&view, 14);
    if (ethernet == NULL)
        return packet;
    switch (get16(ethernet + 12)) {
    case 0x0800: packet.kind = read_ip(&packet, view); break;
    case 0x0806: packet.kind = read_arp(&packet, view); break;
    case 0x8100: /* IEEE 802.1Q */
    case 0x88a8: /* 802.1ad */
    case 0x9100: packet.kind = KIND_VLAN; break;
    case 0x86dd: packet.kind = KIND_IPV6; break;
    default: packet.kind = KIND_OTHER;
    }
    return packet;
}
