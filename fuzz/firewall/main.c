/*
 * libFuzzer on the firewall's rules and frames (guests/firewall): an input is a text of rules, a NUL, and frames, each behind
 * three bytes: which way, whether an IPv4 header's checksum is to be mended, and how much later; and its length.
 *
 * Every frame lies where memory ends with it. What must hold beside "nothing is read outside": no frame of a kind that never
 * passes does, nothing passes where all rules deny, and the table counts its connections rightly.
 * Read next: guests/firewall/filter.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"

#define CONNECTIONS 16u /* few, so that some have to give way */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *count, char ***arguments);

static void no_log(const struct rule *rule, const struct packet *packet, enum direction direction, size_t length)
{
    (void)rule, (void)packet, (void)direction, (void)length;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool may_pass(const struct rules *rules)
{
    for (unsigned index = 0; index < rules->count; index++)
        if (rules->list[index].action == ALLOW)
            return true;
    return false;
}

static void check_table(const struct track *track)
{
    uint32_t count = 0;
    for (int stage = 0; stage < STAGES; stage++)
        for (uint32_t link = track->lists[stage].oldest; link != 0; link = track->slots[link - 1].newer)
            must(track->slots[link - 1].stage == stage && ++count <= CONNECTIONS);
    must(count == track->count);
}

/* No mutation finds a sum by itself. */
static void mend_sum(uint8_t *frame, size_t length)
{
    uint32_t sum = 0;
    if (length < 34)
        return;
    frame[24] = frame[25] = 0;
    for (int i = 14; i < 34; i += 2)
        sum += (uint32_t)frame[i] << 8 | frame[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16));
    frame[24] = (uint8_t)(sum >> 8);
    frame[25] = (uint8_t)sum;
}

static void give(struct filter *filter, const uint8_t *bytes, size_t length, uint8_t how, uint64_t now)
{
    enum direction direction = how % 2 == 0 ? OUT : IN;
    uint8_t *frame = malloc(length > 0 ? length : 1);
    memcpy(frame, bytes, length);
    if ((how & 2) != 0)
        mend_sum(frame, length);
    bool is_known = packet_read(frame, length).kind <= KIND_ARP;
    bool passes = filter_passes(filter, frame, length, direction, now);
    must(!passes || (is_known && may_pass(&filter->rules)));
    check_table(&filter->track);
    free(frame);
}

static void give_all(struct filter *filter, const uint8_t *data, size_t size)
{
    uint64_t now = 0;
    while (size >= 3) {
        size_t length = (size_t)data[1] << 8 | data[2];
        uint8_t how = data[0];
        now += (uint64_t)(how / 4) * (how / 4) * 2000000000; /* up to 7938 seconds: more than any connection lives */
        data += 3;
        size -= 3;
        length = length < size ? length : size;
        give(filter, data, length, how, now);
        data += length;
        size -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct filter filter;
    static const uint64_t key[2] = {1, 2};
    struct mistake mistake = {.line = 0};
    const uint8_t *nul = memchr(data, 0, size);
    size_t length = nul != NULL ? (size_t)(nul - data) : size;
    char *text = malloc(length > 0 ? length : 1);
    void *memory = calloc(1, TRACK_SIZE(CONNECTIONS));
    memset(&filter, 0, sizeof filter);
    filter.log = no_log;
    memcpy(text, data, length);
    track_init(&filter.track, memory, CONNECTIONS, key);
    if (rules_read(&filter.rules, text, length, &mistake) && nul != NULL)
        give_all(&filter, nul + 1, size - length - 1);
    else if (mistake.length > 0)
        must(mistake.word >= text && mistake.word + mistake.length <= text + length);
    free(memory);
    free(text);
    return 0;
}

/* A frame of IPv4 between 10.0.0.1 and 10.0.0.2. */
static void write_frame(FILE *file, uint8_t how, uint8_t protocol, bool is_answer, const uint8_t *payload, uint8_t size)
{
    uint8_t frame[37] = {how | 2, 0, (uint8_t)(34 + size), [15] = 8, [17] = 0x45, [20] = (uint8_t)(20 + size), [25] = 64,
                         [26] = protocol, [29] = 10, 0, 0, is_answer ? 2 : 1, 10, 0, 0, is_answer ? 1 : 2};
    must(fwrite(frame, sizeof frame, 1, file) == 1 && fwrite(payload, size, 1, file) == 1);
}

/* A text, and frames of each protocol with their answers. */
static void write_seed(const char *folder, int number, const char *text)
{
    static const uint8_t syn[20] = {4, 0, 0, 80, [12] = 0x50, TCP_SYN}, ack[20] = {4, 0, 0, 80, [12] = 0x50, TCP_ACK};
    static const uint8_t both[20] = {0, 80, 4, 0, [12] = 0x50, TCP_SYN | TCP_ACK}, fin[20] = {0, 80, 4, 0, [12] = 0x50, TCP_FIN};
    static const uint8_t udp[8] = {4, 0, 0, 53, 0, 8}, answer[8] = {0, 53, 4, 0, 0, 8};
    static const uint8_t echo[8] = {ICMP_ECHO, 0, 0, 0, 0, 7, 0, 1}, reply[8] = {ICMP_ECHO_REPLY, 0, 0, 0, 0, 7, 0, 1};
    static const uint8_t error[36] = {ICMP_UNREACHABLE, [8] = 0x45, [17] = PROTOCOL_UDP, [20] = 10, 0, 0, 1, 10, 0, 0, 2, 4, 0, 0, 53};
    static const uint8_t arp[45] = {0, 0, 42, [15] = 8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
    char path[4096];
    snprintf(path, sizeof path, "%s/seed-%d", folder, number);
    FILE *file = fopen(path, "w");
    must(file != NULL && fwrite(text, strlen(text) + 1, 1, file) == 1);
    write_frame(file, 0, PROTOCOL_TCP, false, syn, sizeof syn);
    write_frame(file, 1, PROTOCOL_TCP, true, both, sizeof both);
    write_frame(file, 0, PROTOCOL_TCP, false, ack, sizeof ack);
    write_frame(file, 1, PROTOCOL_TCP, true, fin, sizeof fin);
    write_frame(file, 0, PROTOCOL_TCP, false, syn, sizeof syn);
    write_frame(file, 0, PROTOCOL_UDP, false, udp, sizeof udp);
    write_frame(file, 1, PROTOCOL_UDP, true, answer, sizeof answer);
    write_frame(file, 0, PROTOCOL_ICMP, false, echo, sizeof echo);
    write_frame(file, 1, PROTOCOL_ICMP, true, reply, sizeof reply);
    write_frame(file, 1, PROTOCOL_ICMP, true, error, sizeof error);
    must(fwrite(arp, sizeof arp, 1, file) == 1 && fclose(file) == 0);
}

/* "--seeds FOLDER" writes some there, and that is all. */
int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    if (*count != 3 || strcmp((*arguments)[1], "--seeds") != 0)
        return 0;
    static const char *const texts[] = {
        "allow both any", "# nothing\nallow out ip from 10.0.0.0/8\nreport 60\nlog both any",
        "allow out tcp from any port 1024-65535 to 10.0.0.2 port 80\ndeny in icmp type 5\nallow out icmp type 8\nallow out 17"};
    for (int i = 0; i < 3; i++)
        write_seed((*arguments)[2], i, texts[i]);
    exit(0);
}
