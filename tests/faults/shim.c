/*
 * A disk and a clock that fail on order, for LD_PRELOAD into `sekisho serve`.
 *
 * FAULTS names a file of `struct orders` that the test writes and this process maps: an order holds from the next call on.
 * Failing calls touch only files whose path holds `path`. Nothing else is changed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct orders {
    int64_t wall_s;      /* added to CLOCK_REALTIME */
    int64_t monotonic_s; /* added to CLOCK_MONOTONIC */
    int32_t sync_error;  /* errno of fsync and fdatasync, 0: none */
    int32_t read_error;
    int32_t write_error;
    int32_t failed; /* calls that failed by our doing: the test asserts that its order was met */
    char path[232];
};

static volatile struct orders *orders;

static void __attribute__((constructor)) map_orders(void) {
    const char *name = getenv("FAULTS");
    int handle = name ? open(name, O_RDWR) : -1;
    if (handle < 0)
        return;
    void *mapped = mmap(NULL, sizeof(struct orders), PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    if (mapped != MAP_FAILED)
        orders = mapped;
    close(handle);
}

static int concerns(int handle) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strstr(path, (const char *)orders->path) != NULL;
}

static int fails(int handle, int error) {
    if (!error || !concerns(handle))
        return 0;
    __atomic_add_fetch(&orders->failed, 1, __ATOMIC_SEQ_CST);
    errno = error;
    return 1;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) \
        real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define SYNC(name) \
    int name(int handle) { \
        REAL(name); \
        return orders && fails(handle, orders->sync_error) ? -1 : real(handle); \
    }

#define MOVE(name, error, buffer) \
    ssize_t name(int handle, buffer octets, size_t count) { \
        REAL(name); \
        return orders && fails(handle, orders->error) ? -1 : real(handle, octets, count); \
    }

#define MOVE_AT(name, error, buffer, offset) \
    ssize_t name(int handle, buffer octets, size_t count, offset at) { \
        REAL(name); \
        return orders && fails(handle, orders->error) ? -1 : real(handle, octets, count, at); \
    }

SYNC(fsync)
SYNC(fdatasync)
MOVE(read, read_error, void *)
MOVE(write, write_error, const void *)
MOVE_AT(pread, read_error, void *, off_t)
MOVE_AT(pread64, read_error, void *, off64_t)
MOVE_AT(pwrite, write_error, const void *, off_t)
MOVE_AT(pwrite64, write_error, const void *, off64_t)

int clock_gettime(clockid_t which, struct timespec *now) {
    REAL(clock_gettime);
    int result = real(which, now);
    if (orders && !result) {
        if (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)
            now->tv_sec += orders->wall_s;
        else if (which == CLOCK_MONOTONIC || which == CLOCK_MONOTONIC_COARSE)
            now->tv_sec += orders->monotonic_s;
    }
    return result;
}
