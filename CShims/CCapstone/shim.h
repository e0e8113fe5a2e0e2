/*
 * Capstone, the disassembler, as a module. Its headers name types as Swift would not; what is used of it is here.
 *
 * Read next: Sources/Disassembly/DisassembledInstruction.swift, its only importer.
 */
#ifndef CCAPSTONE_SHIM_H
#define CCAPSTONE_SHIM_H

#include <capstone/capstone.h>
#include <stdint.h>
#include <string.h>

struct ccapstone_instruction {
    unsigned size; /* bytes; 0: it is none */
    char name[CS_MNEMONIC_SIZE];
    char operands[160];
    char groups[8][16]; /* of the instruction set, each with its NUL; the rest is empty */
};

/* The instruction at the start of `code`, in a mode of 16, 32 or 64 bits. */
static inline struct ccapstone_instruction
ccapstone_read(const uint8_t *code, size_t size, uint64_t address, unsigned bits)
{
    struct ccapstone_instruction result = {0};
    csh handle;
    cs_insn *found = NULL;
    if (cs_open(CS_ARCH_X86, bits == 64 ? CS_MODE_64 : bits == 32 ? CS_MODE_32 : CS_MODE_16, &handle) != CS_ERR_OK)
        return result;
    cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
    if (cs_disasm(handle, code, size, address, 1, &found) == 1) {
        result.size = found->size;
        strncpy(result.name, found->mnemonic, sizeof result.name - 1);
        strncpy(result.operands, found->op_str, sizeof result.operands - 1);
        for (unsigned i = 0; i < found->detail->groups_count && i < 8; i++)
            strncpy(result.groups[i], cs_group_name(handle, found->detail->groups[i]), sizeof result.groups[i] - 1);
        cs_free(found, 1);
    }
    cs_close(&handle);
    return result;
}

#endif
