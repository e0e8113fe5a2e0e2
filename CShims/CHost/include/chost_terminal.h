/*
 * What `host` needs of its server and Swift cannot see: pseudo-terminals, sizes of terminals, signals as a
 * descriptor, the power switch.
 *
 * An ordinary `run` uses none of it. Everything is static inline; functions return their result or -errno.
 * Read next: Sources/Host/PseudoTerminal.swift.
 */
#ifndef CHOST_TERMINAL_H
#define CHOST_TERMINAL_H

#include "chost.h"
#include <sys/reboot.h>

/* By /dev/ptmx and its ioctls (ioctl_tty(2)): posix_openpt and its kin are hidden, and ioctl is variadic. */
static inline long chost_open_pseudo_terminal(int *number)
{
    int unlocked = 0, fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    if (ioctl(fd, TIOCSPTLCK, &unlocked) < 0 || ioctl(fd, TIOCGPTN, number) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/* A new description: O_NONBLOCK is ours alone, and not of whoever gave us the terminal. */
static inline long chost_open_terminal(const char *path)
{
    return chost_result(open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
}

/* A machine's console. No key is a signal to the VMM, none stops its output; `raw`: no echo, no lines either. */
static inline long chost_set_console(int fd, int raw)
{
    struct termios settings;
    if (tcgetattr(fd, &settings) < 0)
        return -errno;
    if (raw) {
        cfmakeraw(&settings);
        settings.c_oflag |= OPOST | ONLCR; /* the guest writes \n */
    } else {
        settings.c_lflag &= ~(tcflag_t)ISIG;
        settings.c_iflag &= ~(tcflag_t)IXON;
    }
    return chost_result(tcsetattr(fd, TCSANOW, &settings));
}

/* fcntl is variadic. Of the two ends only the reader's does not block. */
static inline long chost_output_pipe(int ends[2])
{
    long result = chost_child_pipe(ends);
    if (result == 0)
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return result;
}

/* Rows and columns; 0 where the terminal does not know. */
static inline long chost_get_size(int fd, uint16_t *rows, uint16_t *columns)
{
    struct winsize size;
    memset(&size, 0, sizeof size);
    long result = chost_result(ioctl(fd, TIOCGWINSZ, &size));
    *rows = size.ws_row;
    *columns = size.ws_col;
    return result;
}
static inline long chost_set_size(int fd, uint16_t rows, uint16_t columns)
{
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return chost_result(ioctl(fd, TIOCSWINSZ, &size));
}

/* Ends that are asked for, children's ends and other sizes of the terminal: blocked, and read from a signalfd. */
static inline long chost_open_host_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGWINCH);
    int r = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (r != 0)
        return -r;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGTTOU, SIG_IGN); /* a terminal is put back from the background too */
    return chost_result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

/* reboot(2), which comes back only with an error; what is not written yet is lost, so it is written first. */
static inline long chost_end_server(int again)
{
    sync();
    return chost_result(reboot(again ? RB_AUTOBOOT : RB_POWER_OFF));
}

/* For process 1: Ctrl-Alt-Del is SIGINT to it from here on, and no reset at once (reboot(2), LINUX_REBOOT_CMD_CAD_OFF). */
static inline void chost_keep_ctrl_alt_del(void) { reboot(RB_DISABLE_CAD); }

#endif
