/*
 * What disks and taps need of the host beyond Swift's view: file locks, holes, and the network's variadic ioctls.
 *
 * Only a machine with a device calls any of it. Functions return their result or -errno.
 * Read next: cdevices_uring.h.
 */
#ifndef CDEVICES_H
#define CDEVICES_H

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long cdevices_result(long r) { return r < 0 ? -errno : r; }

/*
 * Transfers without the C library's wrappers, which are cancellation points (pthreads(7)): in a process with threads two
 * locked instructions around each call. Threads here are never cancelled. -1 and errno, as the wrappers.
 */
static inline long cdevices_pread(int fd, void *buffer, size_t size, uint64_t offset)
{
    return syscall(SYS_pread64, fd, buffer, size, offset);
}

static inline long cdevices_pwrite(int fd, const void *buffer, size_t size, uint64_t offset)
{
    return syscall(SYS_pwrite64, fd, buffer, size, offset);
}

static inline long cdevices_read(int fd, void *buffer, size_t size) { return syscall(SYS_read, fd, buffer, size); }

static inline long cdevices_write(int fd, const void *buffer, size_t size) { return syscall(SYS_write, fd, buffer, size); }

/* Tells the CPU that this is a loop that waits for memory to change. */
static inline void cdevices_pause(void) { __builtin_ia32_pause(); }

/* open() and fcntl() are variadic. */
static inline long cdevices_open(const char *path, int flags)
{
    return cdevices_result(open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

/* From now on calls wait. A file's and a disk's always do; but io_uring could take O_NONBLOCK at its word, and answer EAGAIN. */
static inline long cdevices_may_wait(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return cdevices_result(flags < 0 ? flags : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}

/*
 * Locks belong to the open file, not to the process (fcntl(2), "Open file description locks"; the numbers are a GNU
 * extension): closing another descriptor of the file does not lose them, as with POSIX locks. `count` 0: to the end.
 */
enum { CDEVICES_GET_LOCK = 36 /* F_OFD_GETLK */, CDEVICES_SET_LOCK = 37 /* F_OFD_SETLK */ };

static inline long cdevices_lock_bytes(int fd, int command, short type, off_t first, off_t count, short *found)
{
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = first;
    lock.l_len = count;
    long result = cdevices_result(fcntl(fd, command, &lock));
    *found = lock.l_type;
    return result;
}

/*
 * A lock on the whole file, against swiftlet and QEMU alike. QEMU says what it does by read locks on single bytes, of which
 * byte 101 stands for writing (block/file-posix.c: RAW_LOCK_PERM_BASE, the bit of BLK_PERM_WRITE). So who writes locks all,
 * and who reads all but that byte, and looks whether somebody has it.
 */
static inline long cdevices_lock(int fd, int exclusive)
{
    enum { writing = 101 };
    short found;
    if (exclusive)
        return cdevices_lock_bytes(fd, CDEVICES_SET_LOCK, F_WRLCK, 0, 0, &found);
    long result = cdevices_lock_bytes(fd, CDEVICES_SET_LOCK, F_RDLCK, 0, writing, &found);
    if (result == 0)
        result = cdevices_lock_bytes(fd, CDEVICES_SET_LOCK, F_RDLCK, writing + 1, 0, &found);
    if (result == 0)
        result = cdevices_lock_bytes(fd, CDEVICES_GET_LOCK, F_WRLCK, writing, 1, &found);
    return result == 0 && found != F_UNLCK ? -EAGAIN : result;
}

/* Whether a block device takes no writes, which opening it for writing does not say: BLKROGET of linux/fs.h. */
static inline int cdevices_is_read_only(int fd)
{
    int is_read_only = 0;
    return ioctl(fd, _IO(0x12, 94), &is_read_only) == 0 && is_read_only != 0;
}

/* Whether somebody else has locked any of it, for reading or for writing. */
static inline int cdevices_is_locked(int fd)
{
    short found;
    return cdevices_lock_bytes(fd, CDEVICES_GET_LOCK, F_WRLCK, 0, 0, &found) == 0 && found != F_UNLCK;
}

static inline long cdevices_unlock(int fd)
{
    short found;
    return cdevices_lock_bytes(fd, CDEVICES_SET_LOCK, F_UNLCK, 0, 0, &found);
}

/* The bytes read as zeros afterwards and need no room (fallocate(2)); a GNU extension. */
static inline long cdevices_punch(int fd, uint64_t offset, uint64_t size)
{
    return cdevices_result(syscall(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size));
}

/*
 * Network interfaces (netdevice(7)): struct ifreq's unions do not import. The name has at most 15 bytes; the rest of the
 * struct is the request's argument and its answer.
 */
static inline long cdevices_interface(const char *name, unsigned long request, struct ifreq *interface)
{
    long fd = cdevices_result(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (fd < 0)
        return fd;
    memset(interface->ifr_name, 0, IFNAMSIZ);
    strncpy(interface->ifr_name, name, IFNAMSIZ - 1);
    long result = cdevices_result(ioctl((int)fd, request, interface));
    close((int)fd);
    return result;
}
/* Flags (IFF_UP is 1), or -ENODEV. */
static inline long cdevices_interface_flags(const char *name)
{
    struct ifreq answer = {0};
    long result = cdevices_interface(name, SIOCGIFFLAGS, &answer);
    return result < 0 ? result : (unsigned short)answer.ifr_flags;
}
static inline long cdevices_interface_mtu(const char *name)
{
    struct ifreq answer = {0};
    long result = cdevices_interface(name, SIOCGIFMTU, &answer);
    return result < 0 ? result : answer.ifr_mtu;
}
/* Needs CAP_NET_ADMIN. */
static inline long cdevices_interface_up(const char *name)
{
    struct ifreq interface = {0};
    long result = cdevices_interface(name, SIOCGIFFLAGS, &interface);
    interface.ifr_flags |= IFF_UP;
    return result < 0 ? result : cdevices_interface(name, SIOCSIFFLAGS, &interface);
}

/* Whether an IPv4 address is its own. */
static inline int cdevices_interface_has_address(const char *name)
{
    struct ifreq answer = {0};
    answer.ifr_addr.sa_family = AF_INET;
    return cdevices_interface(name, SIOCGIFADDR, &answer) == 0;
}
/* Its Ethernet address, the first byte lowest; 0 where there is none. */
static inline uint64_t cdevices_interface_station(const char *name)
{
    struct ifreq answer = {0};
    uint64_t station = 0;
    if (cdevices_interface(name, SIOCGIFHWADDR, &answer) == 0 && answer.ifr_hwaddr.sa_family == 1 /* ARPHRD_ETHER */)
        memcpy(&station, answer.ifr_hwaddr.sa_data, 6);
    return station;
}

/* Bridges, by the requests of Linux's net/bridge/br_ioctl.c. All need CAP_NET_ADMIN. */
static inline long cdevices_bridge_make(const char *name)
{
    struct ifreq request = {0};
    return cdevices_interface(name, SIOCBRADDBR, &request);
}
static inline long cdevices_bridge_connect(const char *name, const char *interface)
{
    struct ifreq request = {.ifr_ifindex = (int)if_nametoindex(interface)};
    return cdevices_interface(name, SIOCBRADDIF, &request);
}
/* It must be down; what was in it is free. */
static inline void cdevices_bridge_remove(const char *name)
{
    struct ifreq request = {0};
    cdevices_interface(name, SIOCGIFFLAGS, &request);
    request.ifr_flags &= ~IFF_UP;
    cdevices_interface(name, SIOCSIFFLAGS, &request);
    cdevices_interface(name, SIOCBRDELBR, &request);
}

/*
 * Attaches an open /dev/net/tun to a tap without packet information (Documentation/networking/tuntap.rst), which is made
 * if there is none: a "%d" in the name becomes a number. Offloads are off: the guest sees plain Ethernet frames. The
 * name is put back as it became: 16 bytes.
 */
static inline long cdevices_attach_tap(int fd, char name[IFNAMSIZ])
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    long result = cdevices_result(ioctl(fd, TUNSETIFF, &request));
    if (result < 0)
        return result;
    memcpy(name, request.ifr_name, IFNAMSIZ);
    return cdevices_result(ioctl(fd, TUNSETOFFLOAD, 0));
}

#endif
