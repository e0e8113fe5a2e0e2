/*
 * Loading kernel modules, for the appliance's process 1 and for its Linux guest's: all that the hardware has use for, and
 * nobody has to say what depends on what.
 *
 * Read next: init.c.
 */
#ifndef APPLIANCE_MODULES_H
#define APPLIANCE_MODULES_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whether it was loaded now. Modules for other hardware refuse, and one that needs another is tried again. */
static bool load(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    bool loaded = syscall(SYS_finit_module, file, "", 0) == 0;
    close(file);
    return loaded;
}

/* Again and again, until a pass loads none. */
static void load_modules(const char *folder)
{
    for (bool any = true; any;) {
        DIR *list = opendir(folder);
        any = false;
        for (struct dirent *entry; list && (entry = readdir(list));)
            if (entry->d_name[0] != '.' && load(folder, entry->d_name))
                any = true;
        if (list)
            closedir(list);
    }
}

#endif
