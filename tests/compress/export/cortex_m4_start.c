/* What a Cortex-M4 reads first: where the stack begins, and where to begin. */
extern unsigned char stack_top[];
extern void _start(void);
__attribute__((section(".vectors"), used)) const struct {
  unsigned char* stack;
  void (*start)(void);
} vectors = {stack_top, _start};
