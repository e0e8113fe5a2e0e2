/*
 * SipHash-1-3 of two words under a key: short, and without the key nobody can choose packets whose hashes are the same.
 *
 * Aumasson and Bernstein, "SipHash: a fast short-input PRF" (INDOCRYPT 2012), with 1 and 3 rounds, as tables of Linux and Rust
 * have it. Read next: filter.h.
 */
#ifndef FIREWALL_HASH_H
#define FIREWALL_HASH_H

#include <stdint.h>

static inline uint64_t hash_rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void hash_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = hash_rotate(v[1], 13) ^ v[0];
    v[3] = hash_rotate(v[3], 16) ^ v[2];
    v[0] = hash_rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = hash_rotate(v[1], 17) ^ v[2];
    v[3] = hash_rotate(v[3], 21) ^ v[0];
    v[2] = hash_rotate(v[2], 32);
}

static inline void hash_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    hash_round(v);
    v[0] ^= word;
}

/* Of the 16 bytes that the words are in memory. */
static inline uint64_t hash(const uint64_t key[2], uint64_t first, uint64_t second)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                     key[1] ^ 0x7465646279746573};
    hash_word(v, first);
    hash_word(v, second);
    hash_word(v, 16ull << 56); /* the length ends the text */
    v[2] ^= 0xff;
    for (int round = 0; round < 3; round++)
        hash_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
