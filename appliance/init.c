/*
 * init -- process 1 of the appliance: mounts what a process needs, loads modules, finds the maker's disk, and becomes
 * `swiftlet-host`, which shows the chooser on the VGA console and on the serial port. There is no other user land.
 *
 * A Swift program cannot begin without /proc, so these steps are C. What goes wrong is said on the console and stops nothing that
 * can go on without it. Read next: build.sh, which packs it; docs/appliance.md.
 */
#include "modules.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>

#define LABEL "SWIFTLET"
#define DISK "/disk"

static void say(const char *what, const char *which)
{
    fprintf(stderr, "init: %s %s: %s\n", what, which, strerror(errno));
}

static void mount_on(const char *type, const char *place)
{
    mkdir(place, 0755);
    if (mount(type, place, type, MS_NOSUID | MS_NOEXEC, NULL) < 0 && errno != EBUSY)
        say("mounting", place);
}

/* The server has machines on networks, and is on none itself: nobody can speak to it from there, by IPv6 neither. */
static void stay_off_networks(void)
{
    int file = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
    if (file >= 0 && write(file, "1", 1) != 1)
        say("keeping IPv6", "off");
    close(file);
}

struct file_system {
    const char *type;
    off_t magic_place, label_place;
    const char *magic;
    size_t magic_size;
};

/* Where labels stand: ECMA-119 8.4; Linux, Documentation/filesystems/ext4 (super block); Microsoft, fatgen103. */
static const struct file_system file_systems[] = {
    {"iso9660", 0x8001, 0x8028, "CD001", 5},
    {"ext4", 0x438, 0x478, "\x53\xef", 2},
    {"vfat", 0x52, 0x47, "FAT32", 5},
    {"vfat", 0x36, 0x2b, "FAT1", 4},
};

/* The type of a file system with our label; NULL where there is another, or none. Labels end with a NUL or spaces. */
static const char *labelled(const char *device)
{
    const char *type = NULL;
    int disk = open(device, O_RDONLY | O_CLOEXEC);
    if (disk < 0)
        return NULL;
    for (size_t i = 0; i < sizeof file_systems / sizeof *file_systems && !type; i++) {
        const struct file_system *each = &file_systems[i];
        char magic[8] = "", label[sizeof LABEL] = "";
        if (pread(disk, magic, each->magic_size, each->magic_place) == (ssize_t)each->magic_size &&
            memcmp(magic, each->magic, each->magic_size) == 0 &&
            pread(disk, label, sizeof LABEL, each->label_place) == (ssize_t)sizeof LABEL &&
            memcmp(label, LABEL, sizeof LABEL - 1) == 0 && (label[sizeof LABEL - 1] == '\0' || label[sizeof LABEL - 1] == ' '))
            type = each->type;
    }
    close(disk);
    return type;
}

/* The maker's disk: read-only, and neither devices nor programs with rights on it count. */
static bool mount_disk(void)
{
    DIR *list = opendir("/sys/class/block");
    bool found = false;
    for (struct dirent *entry; !found && list && (entry = readdir(list));) {
        char device[300];
        snprintf(device, sizeof device, "/dev/%s", entry->d_name);
        const char *type = entry->d_name[0] == '.' ? NULL : labelled(device);
        if (!type)
            continue;
        mkdir(DISK, 0755);
        found = mount(device, DISK, type, MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) == 0;
        if (!found)
            say("mounting the disk " LABEL ",", device);
    }
    if (list)
        closedir(list);
    return found;
}

int main(void)
{
    mount_on("proc", "/proc");
    mount_on("sysfs", "/sys");
    mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL); /* the kernel may have done so */
    mount_on("devpts", "/dev/pts");
    mount_on("tmpfs", "/run");
    mount_on("tmpfs", "/tmp");
    stay_off_networks();
    load_modules("/modules");
    sethostname("server", 6);
    for (int tries = 0; tries < 10 && !mount_disk(); tries++) /* disks are found while we run */
        usleep(100000);
    char *arguments[] = {"/bin/swiftlet-host", "--terminal", "/dev/tty1",   "--terminal",  "/dev/ttyS0", "--control",
                         "/run/host",          "--catalogue", "/catalogue", "--catalogue", DISK,         NULL};
    if (access(DISK, F_OK) < 0)
        arguments[9] = NULL;
    char *environment[] = {"PATH=/bin", "HOME=/", NULL};
    execve(arguments[0], arguments, environment);
    say("starting", arguments[0]);
    fprintf(stderr, "init: nothing else can be done here: switch the server off\n");
    for (;;)
        pause(); /* process 1 must not end */
}
