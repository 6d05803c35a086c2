// What of Linux Swift's own module of the C library leaves out. Headers only: nothing to compile. And none of the headers
// that Swift's module has: a name would belong to whichever of the two is read first.
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

// Timers to the microsecond, not to the fiftieth of a millisecond that programs get otherwise.
static inline void wakePunctually(void) { prctl(PR_SET_TIMERSLACK, 1ul); }

// sendmmsg(2), whose message the kernel has in this form, whatever the C library makes of it.
struct Piece {
    void *base;
    size_t size;
};

struct Message {
    void *name;
    unsigned int nameSize;
    struct Piece *pieces;
    size_t pieceCount;
    void *control;
    size_t controlSize;
    unsigned int flags;
    unsigned int sent __attribute__((aligned(sizeof(size_t))));
};

long syscall(long number, ...);

// Does not wait for room (MSG_DONTWAIT).
static inline long sendMany(int socket, struct Message *messages, unsigned int count) {
    return syscall(SYS_sendmmsg, socket, messages, count, 0x40);
}
