/*
 * filter-compiler -- rules.h as three seccomp programs (BPF), in a source to be compiled in: libseccomp does it when Swiftlet
 * is built, because at a start it costs 0.4 ms.
 *
 *   filter-compiler swift|c FILE
 *
 * In front of libseccomp's program stand some instructions of ours that let KVM_RUN through: it is every exit of every guest, and
 * a request is decided anew each time. All else is a binary tree, which the kernel walks once for each call number when the
 * filter is loaded: what it allows whatever the arguments it then allows without running the program (seccomp_cache).
 * Run by Plugins/CompileFilter and by benchmarks/Makefile. Read next: Sources/Sandbox/Sandbox.swift.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "rules.h"

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "filter-compiler: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void check(int result, const char *what)
{
    if (result < 0) {
        errno = -result;
        fail(what);
    }
}

static void add(scmp_filter_ctx filter, const struct rule *rule)
{
    int number = atoi(rule->call); /* 0: a name */
    int call = number > 0 ? number : seccomp_syscall_resolve_name(rule->call);
    if (rule->argument < 0) {
        check(seccomp_rule_add_exact(filter, SCMP_ACT_ALLOW, call, 0), rule->call);
    } else {
        struct scmp_arg_cmp comparison = {
            (unsigned)rule->argument, SCMP_CMP_MASKED_EQ, rule->mask, rule->value};
        check(seccomp_rule_add_exact(filter, SCMP_ACT_ALLOW, call, 1, comparison), rule->call);
    }
}

/* The number of its instructions. */
static size_t compile(enum filter which, struct sock_filter *program, size_t capacity)
{
    FILE *file = tmpfile();
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!file || !filter)
        fail("setting up");
    check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "binary tree");
    check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "other architectures");
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].first <= which)
            add(filter, &rules[i]);
    check(seccomp_rule_add_exact(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3");
    check(seccomp_export_bpf(filter, fileno(file)), "seccomp_export_bpf");
    seccomp_release(filter);
    rewind(file);
    size_t count = fread(program, sizeof *program, capacity, file);
    if (count == 0 || count == capacity)
        fail("the program's size");
    fclose(file);
    return count;
}

/*
 * What stands in front of the tree, in the place of libseccomp's own beginning: calls of another architecture end here, those
 * of x32 in the tree, which knows none. The tree expects the call's number in the accumulator.
 */
static const struct sock_filter front[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, KVM_RUN, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
};

/* libseccomp's beginning: it looks at the architecture and for x32, and loads the number. Another one stays, and costs time. */
static size_t beginning(const struct sock_filter *program)
{
    static const uint16_t codes[] = {
        BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ | BPF_K, BPF_LD | BPF_W | BPF_ABS,
        BPF_JMP | BPF_JGE | BPF_K, BPF_JMP | BPF_JEQ | BPF_K, BPF_LD | BPF_W | BPF_ABS,
    };
    enum { count = sizeof codes / sizeof *codes };
    for (size_t i = 0; i < count; i++)
        if (program[i].code != codes[i])
            return 0;
    return program[0].k == offsetof(struct seccomp_data, arch) && program[1].k == AUDIT_ARCH_X86_64
        && program[3].k == 0x40000000 && program[count - 1].k == offsetof(struct seccomp_data, nr) ? count : 0;
}

static void write_program(FILE *out, const char *name, enum filter which, int is_swift)
{
    enum { capacity = 1024, first = sizeof front / sizeof *front };
    static struct sock_filter whole[first + capacity];
    size_t count = first + compile(which, whole + first, capacity);
    size_t skipped = beginning(whole + first);
    struct sock_filter *program = whole + skipped;
    memcpy(program, front, sizeof front);
    count -= skipped;
    if (is_swift)
        fprintf(out, "\n    static let %s: [%zu of UInt64] = [", name, count);
    else
        fprintf(out, "\n__attribute__((unused)) static const unsigned long filter_%s[%zu] = {", name, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, &program[i], sizeof word);
        fprintf(out, "%s0x%016lx,", i % 4 == 0 ? "\n        " : " ", word);
    }
    fprintf(out, is_swift ? "\n    ]\n" : "\n};\n");
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fputs("usage: filter-compiler swift|c FILE\n", stderr);
        return 2;
    }
    int is_swift = strcmp(arguments[1], "swift") == 0;
    FILE *out = fopen(arguments[2], "w");
    if (!out)
        fail(arguments[2]);
    fprintf(out, "// Made by filter-compiler from Sources/filter-compiler/rules.h: struct sock_filter, one a word.\n");
    if (is_swift)
        fprintf(out, "\nenum Filter {");
    write_program(out, "run", RUN, is_swift);
    write_program(out, "devices", DEVICES, is_swift);
    write_program(out, "files", FILES, is_swift);
    if (is_swift)
        fprintf(out, "}\n");
    if (fclose(out) != 0)
        fail(arguments[2]);
    return 0;
}
