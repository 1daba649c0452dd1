/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Cortex-M4 needs before main: a vector table, the constants of .data, zeros in .bss. Text
 * and the end of the program go to the debugger, by semihosting: Arm, "Semihosting for AArch32 and
 * AArch64", operations SYS_WRITE0 (0x04) and SYS_EXIT (0x18). There is no library.
 */
#include <stddef.h>
#include <stdint.h>

extern uint32_t stack_end[], data_from[], data_begin[], data_end[], bss_begin[], bss_end[];

int main(void);
void reset(void);
void say(const char *text);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

static void call_debugger(uint32_t operation, uintptr_t argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register uintptr_t r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void end(int failed) {
  call_debugger(0x18, failed ? 0x20024u : 0x20026u); /* ADP_Stopped_InternalError, _ApplicationExit */
  for (;;) {
  }
}

void say(const char *text) { call_debugger(0x04, (uintptr_t)text); }

/* Compilers call these for loops and structures. */
void *memcpy(void *to, const void *from, size_t n) {
  volatile uint8_t *t = to;
  const uint8_t *f = from;
  while (n-- > 0) *t++ = *f++;
  return to;
}

void *memset(void *to, int value, size_t n) {
  volatile uint8_t *t = to;
  while (n-- > 0) *t++ = (uint8_t)value;
  return to;
}

void reset(void) {
  memcpy(data_begin, data_from, (size_t)((uintptr_t)data_end - (uintptr_t)data_begin));
  memset(bss_begin, 0, (size_t)((uintptr_t)bss_end - (uintptr_t)bss_begin));
  end(main());
}

static void fault(void) { end(1); }

typedef struct {
  uint32_t *stack;
  void (*handlers[6])(void); /* reset, NMI, HardFault, MemManage, BusFault, UsageFault */
} table;

__attribute__((section(".vectors"), used)) static const table vectors = {
    stack_end, {reset, fault, fault, fault, fault, fault}};
