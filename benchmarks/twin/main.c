/*
 * The twin's main thread: builds the machine, starts the vCPU's thread, waits for its end or a signal.
 *
 * As Sources/swiftlet/RunCommand.swift, Sources/VMM/Supervisor.swift and Sources/VMM/VCPUThread.swift.
 * Read next: machine.c.
 */
#include "twin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ERROR_STATUS 125

_Noreturn void fail(const char *step)
{
    fprintf(stderr, "twin: %s: %s\n", step, strerror(errno));
    _exit(ERROR_STATUS);
}

int check(int result, const char *step)
{
    if (result < 0)
        fail(step);
    return result;
}

/* The signals that stop a machine, but those that our parent wants ignored. */
static sigset_t stop_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR2, SIGALRM, SIGXCPU};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action;
        if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, signals[i]);
    }
    return set;
}

static int open_stop_signals(void)
{
    sigset_t set = stop_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return check(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
}

/* From here a stop signal ends the process. */
static void close_stop_signals(int signals)
{
    sigset_t set = stop_signals();
    close(signals);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* kvm_run.immediate_exit of this thread's vCPU: set by a kick. */
static _Thread_local volatile uint8_t *kick_byte;

static void on_kick(int signal)
{
    (void)signal;
    if (kick_byte)
        *kick_byte = 1;
}

static void install_kick(void)
{
    struct sigaction action = {.sa_handler = on_kick};
    check(sigaction(SIGUSR1, &action, NULL), "sigaction");
}

static void *vcpu_thread(void *argument)
{
    struct machine *machine = argument;
    sigset_t kick;
    sigemptyset(&kick);
    sigaddset(&kick, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
    kick_byte = &machine->run->immediate_exit;
    machine->status = run_loop(machine);
    kick_byte = NULL;
    eventfd_write(machine->done, 1);
    return NULL;
}

/* Waits for the thread's end. A signal asks for a stop; then the thread is kicked every 10 ms until it has ended. */
static void supervise(struct machine *machine, pthread_t thread, int signals)
{
    for (;;) {
        struct pollfd set[] = {{machine->done, POLLIN, 0}, {signals, POLLIN, 0}, {-1, 0, 0}};
        struct timespec interval = {.tv_nsec = 10000000};
        int stopping = __atomic_load_n(&machine->stop_signal, __ATOMIC_ACQUIRE);
        int ready = (int)syscall(SYS_ppoll, set, 3, stopping ? &interval : NULL, NULL, 0);
        if (ready > 0 && set[0].revents)
            return;
        struct signalfd_siginfo info;
        if (ready > 0 && set[1].revents && read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
            __atomic_store_n(&machine->stop_signal, (int)info.ssi_signo, __ATOMIC_RELEASE);
            eventfd_write(machine->stop, 1);
        }
        if (machine->stop_signal)
            pthread_kill(thread, SIGUSR1);
    }
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* The line of `swiftlet run` with SWIFTLET_PHASES (docs/stats.md); the variable is looked up when all is over. */
static void tell_phases(const struct phases *at, const struct clock *clock)
{
    const char *fd = getenv("SWIFTLET_PHASES");
    if (!fd)
        return;
    char line[512];
    uint64_t zero = now() - guest_time(clock);
    int used = snprintf(line, sizeof line,
                        "{\"phases\":{\"image_ns\":%lu,\"vm_ns\":%lu,\"load_ns\":%lu,\"vcpu_ns\":%lu,"
                        "\"sandbox_ns\":%lu,\"run_ns\":%lu},\"start_ns\":%lu,\"clock_zero_ns\":%lu,\"written_ns\":",
                        at->image - at->start, at->vm - at->image, at->load - at->vm, at->vcpu - at->load,
                        at->sandbox - at->vcpu, at->run - at->sandbox, at->start, zero);
    used += snprintf(line + used, sizeof line - (size_t)used, "%lu}\n", now());
    if (write(atoi(fd), line, (size_t)used) != used)
        fail("write");
}

int main(int count, char **arguments)
{
    struct phases at = {.start = now()};
    if (count < 2) {
        fputs("usage: twin IMAGE [GUEST ARGS...]\n", stderr);
        return ERROR_STATUS;
    }
    for (int fd = 0; fd <= 2; fd++) /* keeps them from being given to something else when the caller closed them */
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", O_RDONLY | O_CLOEXEC);
    const char *kept = getenv("SWIFTLET_PHASES");
    close_inherited(kept ? (unsigned)atoi(kept) : 2);
    int signals = open_stop_signals();
    struct machine machine = {.timer_deadline = SWIFTLET_NO_DEADLINE};
    image_open(&machine.image, arguments[1]);
    layout_plan(&machine.layout, &machine.image);
    at.image = now();
    machine.memory = memory_reserve();
    cpu_describe(&machine.cpu);
    machine_create(&machine);
    at.vm = now();
    struct start start = boot_install(&machine, arguments + 2);
    at.load = now();
    machine_load(&machine, start);
    machine.done = check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    at.vcpu = now();
    sandbox_enter();
    at.sandbox = now();

    install_kick();
    pthread_t thread;
    if ((errno = pthread_create(&thread, NULL, vcpu_thread, &machine)))
        fail("pthread_create");
    supervise(&machine, thread, signals);
    pthread_join(thread, NULL);
    at.run = now();
    close_stop_signals(signals);
    tell_phases(&at, &machine.clock);
    _exit(machine.status);
}
