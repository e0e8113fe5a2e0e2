/* What assembly and C must agree on. */
#define TRAMPOLINE 0x8000
#define STACK_SIZE 1024
#define PROCESSORS_MAX 64
