/*
 * linux-init -- all of the user land of the appliance's Linux guest: a prompt, an echo of each line, `poweroff`.
 *
 * It shows that an unmodified Linux reaches user land as a machine of the catalogue. Read next: catalogue/linux.toml.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(void)
{
    struct utsname name;
    char line[256];
    mount("proc", "/proc", "proc", 0, NULL);
    uname(&name);
    printf("\nLinux %s as a guest: say something, or poweroff\n", name.release);
    for (printf("> "), fflush(stdout); fgets(line, sizeof line, stdin); printf("> "), fflush(stdout)) {
        if (strncmp(line, "poweroff", 8) == 0)
            break;
        printf("you said: %s", line);
    }
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}
