// epoll and what goes with it, which the platform's own module leaves out. Headers only: nothing to compile.
#include <sys/epoll.h>
#include <sys/prctl.h>

// Timers to the microsecond, not to the fiftieth of a millisecond that programs get otherwise.
static inline void wakePunctually(void) { prctl(PR_SET_TIMERSLACK, 1ul); }
