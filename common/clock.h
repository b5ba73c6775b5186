/*
 * clock: the two clocks, read by the thin shells only and handed to the cores as numbers.
 */
#ifndef PARLEY_CLOCK_H
#define PARLEY_CLOCK_H

#include <stdint.h>

/* Milliseconds on the monotonic clock: every deadline is measured by it, so a jump of the wall clock ends nothing. */
int64_t clock_monotonic_ms(void);

/* Seconds since 1970: for tokens and for what is written down, never for deadlines. */
int64_t clock_wall_s(void);

#endif
