#include "bucket.h"

#define SECOND_MS 1000
#define MINUTE_MS 60000

struct bucket_rate bucket_per_s(unsigned per_s, unsigned largest)
{
    return (struct bucket_rate){per_s, SECOND_MS, per_s > largest ? per_s : largest};
}

struct bucket_rate bucket_per_min(unsigned per_min)
{
    return (struct bucket_rate){per_min, MINUTE_MS, per_min};
}

bool bucket_take(struct bucket *bucket, const struct bucket_rate *rate, unsigned n, int64_t now)
{
    if (rate->units == 0)
        return true;
    /* A difference of 2^32 ms brings back all there is, and its product with 32 bits fits. */
    uint64_t passed = now > bucket->at ? (uint64_t)(now - bucket->at) : 0;
    uint64_t back = (passed > UINT32_MAX ? UINT32_MAX : passed) * rate->units;
    uint64_t spent = bucket->spent > back ? bucket->spent - back : 0;
    uint64_t wanted = (uint64_t)n * rate->period_ms;
    bool fits = spent + wanted <= (uint64_t)rate->burst * rate->period_ms;
    bucket->spent = fits ? spent + wanted : spent;
    bucket->at = now > bucket->at ? now : bucket->at;
    return fits;
}
