/*
 * The twin's calls.
 *
 * As Sources/VMM/Paravirt/. What Swiftlet checks of a call's arguments is checked here too; a guest that breaks the
 * contract ends with status 126 and one word. Read next: wait.c.
 */
#include "twin.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static enum action end(struct machine *machine, int status)
{
    machine->status = status;
    return STOP;
}

enum action crash(struct machine *machine, const char *what)
{
    fprintf(stderr, "twin: guest crashed: %s\n", what);
    return end(machine, 126);
}

static enum action stopped(struct machine *machine) { return end(machine, 128 + machine->stop_signal); }

static enum action call_exit(struct machine *machine)
{
    uint64_t status = ((struct swiftlet_exit *)guest(machine, CALL_PAGE, sizeof(struct swiftlet_exit)))->status;
    return status <= 255 ? end(machine, (int)status) : crash(machine, "exit");
}

static enum action call_console_write(struct machine *machine)
{
    struct swiftlet_console_write call = *(struct swiftlet_console_write *)guest(machine, CALL_PAGE, sizeof call);
    const uint8_t *bytes = guest(machine, call.buffer, call.length);
    if (!bytes)
        return crash(machine, "console write");
    while (call.length > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, call.length);
        if (written >= 0) {
            bytes += written;
            call.length -= (uint64_t)written;
        } else if (errno == EINTR || errno == EAGAIN) {
            if (!stop_signal(machine))
                wait_for(STDOUT_FILENO, POLLOUT, machine->stop, NONE);
            if (stop_signal(machine))
                return stopped(machine);
        } else {
            return end(machine, errno == EPIPE ? 128 + SIGPIPE : 125);
        }
    }
    return RESUME;
}

static enum action call_console_read(struct machine *machine)
{
    struct swiftlet_console_read *page = guest(machine, CALL_PAGE, sizeof *page), call = *page;
    void *bytes = guest(machine, call.buffer, call.length);
    if (!bytes || call.length == 0)
        return crash(machine, "console read");
    do {
        enum sleep_end ended = wait_for_events(machine, SWIFTLET_POLL_CONSOLE, call.deadline);
        if (stop_signal(machine))
            return stopped(machine);
        call.result = ended == READY ? read(STDIN_FILENO, bytes, call.length) : SWIFTLET_TIMED_OUT;
        if (ended != READY)
            break;
    } while (call.result < 0 && (errno == EINTR || errno == EAGAIN));
    *page = call;
    return RESUME;
}

static enum action call_wall_time(struct machine *machine)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *(struct swiftlet_wall_time *)guest(machine, CALL_PAGE, sizeof(struct swiftlet_wall_time)) =
        (struct swiftlet_wall_time){now.tv_sec, (uint64_t)now.tv_nsec};
    return RESUME;
}

static enum action call_poll(struct machine *machine)
{
    struct swiftlet_poll *page = guest(machine, CALL_PAGE, sizeof *page), call = *page;
    if (call.events & ~(uint32_t)SWIFTLET_POLL_CONSOLE)
        return crash(machine, "poll");
    if (call.events == 0 && remaining(&machine->clock, call.deadline) == 0) { /* a look at the clock only */
        page->ready = 0;
        return RESUME;
    }
    call.ready = wait_for_events(machine, call.events, call.deadline) == READY ? SWIFTLET_POLL_CONSOLE : 0;
    if (stop_signal(machine))
        return stopped(machine);
    *page = call;
    return RESUME;
}

static enum action call_commit(struct machine *machine)
{
    uint64_t root = ((struct swiftlet_commit *)guest(machine, CALL_PAGE, sizeof(struct swiftlet_commit)))->root;
    if (root && (root % PAGE || !guest(machine, root, PAGE)))
        return crash(machine, "commit");
    machine->pending_root = root;
    return COMMIT;
}

static enum action call_entropy(struct machine *machine)
{
    struct swiftlet_entropy call = *(struct swiftlet_entropy *)guest(machine, CALL_PAGE, sizeof call);
    void *bytes = call.length <= SWIFTLET_ENTROPY_MAX ? guest(machine, call.buffer, call.length) : NULL;
    if (!bytes || getrandom(bytes, call.length, 0) != (ssize_t)call.length)
        return crash(machine, "entropy");
    return RESUME;
}

static enum action call_log(struct machine *machine)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    struct swiftlet_log call = *(struct swiftlet_log *)guest(machine, CALL_PAGE, sizeof call);
    const char *bytes = call.length <= SWIFTLET_LOG_MAX ? guest(machine, call.buffer, call.length) : NULL;
    char text[SWIFTLET_LOG_MAX + 32];
    if (!bytes || call.level < 1 || call.level > 4)
        return crash(machine, "log");
    int used = snprintf(text, sizeof text, "guest %s: ", names[call.level]);
    for (uint32_t i = 0; i < call.length; i++)
        text[used++] = (uint8_t)bytes[i] < 0x20 || bytes[i] == 0x7f ? '.' : bytes[i];
    text[used++] = '\n';
    ssize_t written = write(STDERR_FILENO, text, (size_t)used);
    (void)written; /* what cannot be written is lost */
    return RESUME;
}

static enum action call_handler(struct machine *machine)
{
    struct swiftlet_handler call = *(struct swiftlet_handler *)guest(machine, CALL_PAGE, sizeof call);
    int64_t high = (int64_t)call.address >> 47;
    if (call.vector > 255 || call.vector == 1 || call.vector == 3 || (high != 0 && high != -1))
        return crash(machine, "handler");
    bool own = call.address != 0;
    uint64_t handler = own ? call.address : STUBS + call.vector * 16;
    gate_write(machine->memory, call.vector, handler, own && call.vector != 8 ? 0 : 1);
    uint64_t bit = 1ul << (call.vector & 63), *word = &machine->handled[call.vector >> 6];
    *word = own ? *word | bit : *word & ~bit;
    return RESUME;
}

static enum action call_timer(struct machine *machine)
{
    struct swiftlet_timer call = *(struct swiftlet_timer *)guest(machine, CALL_PAGE, sizeof call);
    if (call.vector < 32 || call.vector > 255 || !(machine->handled[call.vector >> 6] >> (call.vector & 63) & 1))
        return crash(machine, "timer");
    if (!machine->has_timer) {
        struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
        event._sigev_un._tid = (int)syscall(SYS_gettid);
        machine->has_timer = timer_create(CLOCK_MONOTONIC, &event, &machine->timer) == 0;
    }
    machine->timer_deadline = call.deadline;
    machine->timer_vector = (uint8_t)call.vector;
    uint64_t left = remaining(&machine->clock, call.deadline);
    uint64_t after = left == NONE ? 0 : left > 0 ? left : 1; /* 0 disarms */
    struct itimerspec when = {.it_value = {(time_t)(after / 1000000000), (long)(after % 1000000000)}};
    return timer_settime(machine->timer, 0, &when, NULL) == 0 ? RESUME : crash(machine, "timer");
}

enum action handle_call(struct machine *machine, uint16_t number)
{
    switch (number) {
    case SWIFTLET_CALL_EXIT: return call_exit(machine);
    case SWIFTLET_CALL_CONSOLE_WRITE: return call_console_write(machine);
    case SWIFTLET_CALL_CONSOLE_READ: return call_console_read(machine);
    case SWIFTLET_CALL_WALL_TIME: return call_wall_time(machine);
    case SWIFTLET_CALL_POLL: return call_poll(machine);
    case SWIFTLET_CALL_COMMIT: return call_commit(machine);
    case SWIFTLET_CALL_ENTROPY: return call_entropy(machine);
    case SWIFTLET_CALL_LOG: return call_log(machine);
    case SWIFTLET_CALL_HANDLER: return call_handler(machine);
    case SWIFTLET_CALL_TIMER: return call_timer(machine);
    case SWIFTLET_CALL_FAULT_ADDRESS: return READ_FAULT_ADDRESS;
    default: return crash(machine, "unknown call");
    }
}
