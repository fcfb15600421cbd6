/* A process of another processor that does what it is told through its input: read memory, write
   it, call functions. Words are 64 bits. */

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef int64_t word;
typedef word function(word, word, word, word, word, word);
typedef void work(word *pool, word thread, word start);

struct worker {
    work *does;
    word *pool;
    word thread, start;
};

static void *begin(void *given) {
    struct worker *worker = given;
    worker->does(worker->pool, worker->thread, worker->start);
    return NULL;
}

/* A thread that runs `does(pool, thread, start)`; whether there is none. */
static word hire(work *does, word *pool, word thread, word start) {
    struct worker *worker = malloc(sizeof *worker);
    pthread_t id;
    *worker = (struct worker){does, pool, thread, start};
    return pthread_create(&id, NULL, begin, worker);
}

#define KNOWN(name) {#name, (void *)name}
static const struct {
    const char *name;
    void *address;
} known[] = {
    KNOWN(exp), KNOWN(log), KNOWN(tanh), KNOWN(erf), KNOWN(pow), KNOWN(fmod),
    KNOWN(powf), KNOWN(fmodf), KNOWN(fma), KNOWN(fmaf), KNOWN(memcpy), KNOWN(memmove),
    KNOWN(memset), KNOWN(sched_yield), KNOWN(pthread_mutex_lock), KNOWN(pthread_mutex_unlock),
    KNOWN(pthread_cond_wait), KNOWN(pthread_cond_broadcast), KNOWN(mmap), KNOWN(hire),
};

static void take(void *target, size_t count) {
    if (fread(target, 1, count, stdin) != count)
        exit(0);
}

static void give(const void *source, size_t count) {
    fwrite(source, 1, count, stdout);
}

int main(void) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        printf("%s %lld\n", known[i].name, (long long)(intptr_t)known[i].address);
    printf("\n");
    fflush(stdout);
    for (;;) {
        word order[8];
        take(order, sizeof order);
        if (order[0] == 'w') {
            take((void *)order[1], order[2]);
        } else if (order[0] == 'r') {
            give((void *)order[1], order[2]);
        } else {
            word found = ((function *)order[1])(
                order[2], order[3], order[4], order[5], order[6], order[7]);
            give(&found, sizeof found);
        }
        fflush(stdout);
    }
}
