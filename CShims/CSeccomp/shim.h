/* libseccomp, for the program that compiles the sandbox's filters when Swiftlet is built: Swiftlet itself never links it.
 * Read next: Sources/filter-compiler/rules.h. */
#include <seccomp.h>
