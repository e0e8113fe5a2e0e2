/*
 * 09-service: asks for sums of its memory by a call that no Swiftlet answers yet. The task is in the VMM: README.md.
 *
 *     09-service sum FROM COUNT    the sum of COUNT bytes FROM, FROM + 1, ... (modulo 256)
 *     09-service outside|wrap|long    a call that is misuse
 */
#include "guest.h"

#define CALL_SUM 60
#define LONGEST (1ul << 20)

struct sum {
    uint64_t buffer;
    uint64_t length; /* bytes */
    uint64_t result;
};

static uint64_t sum(uint64_t buffer, uint64_t length)
{
    struct sum *arguments = CALL_ARGUMENTS(struct sum);
    *arguments = (struct sum){.buffer = buffer, .length = length, .result = ~0ul};
    call(CALL_SUM);
    return arguments->result;
}

int main(const struct swiftlet_boot_info *boot)
{
    uint8_t *bytes = allocate(LONGEST + 1);
    uint64_t from = argument_number(1, 0), count = argument_number(2, 0);
    if (argument_is(0, "outside"))
        sum(boot->memory_size - 8, 16);
    if (argument_is(0, "wrap"))
        sum((uint64_t)bytes, ~0ul);
    if (argument_is(0, "long"))
        sum((uint64_t)bytes, LONGEST + 1);
    check(argument_is(0, "sum") && count <= LONGEST, "'sum FROM COUNT', or the misuse was let pass");
    for (uint64_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(from + i);
    check(sum((uint64_t)bytes, 0) == 0, "nothing sums up to 0");
    check(sum(~0ul, 0) == 0, "wherever it is");
    print("sum %lu\n", sum((uint64_t)bytes, count));
    return 0;
}
