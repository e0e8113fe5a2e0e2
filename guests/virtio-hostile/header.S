/* The header of another Multiboot kernel is as good. */
#include "../multiboot-hello/header.S"
