/* The C interface of the CUDA sampler: what a step is, what comes back.
 *
 * Knows: plain data in device memory, a stream. Does not know: C++ objects, Python, who owns
 * memory. Nothing here allocates, throws or waits; every call returns 0 or an error code. The
 * kernels read the plan that edgeward_plan (cuda/plan.h) made on the host and draw the tokens that
 * the CPU's sampler draws; docs/sampling.md says what is proven of that. */
#ifndef EDGEWARD_CUDA_API_H
#define EDGEWARD_CUDA_API_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define EDGEWARD_API
#else
#define EDGEWARD_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever a structure below does. */
#define EDGEWARD_CUDA_ABI 1

enum {
    EDGEWARD_OK = 0,
    EDGEWARD_BAD_ARGUMENT = 1, /* a null pointer, a size or type out of range */
    EDGEWARD_SMALL_WORKSPACE = 2,
    EDGEWARD_CUDA_ERROR = 1000 /* and above: 1000 + the cudaError_t */
};

/* Element types of the logits. */
enum { EDGEWARD_FLOAT32 = 0, EDGEWARD_FLOAT16 = 1, EDGEWARD_BFLOAT16 = 2 };

/* What a row asks for. */
enum {
    EDGEWARD_GREEDY = 1,
    EDGEWARD_FORCED = 2,
    EDGEWARD_MIN_P = 4,
    EDGEWARD_MIROSTAT = 8,
    EDGEWARD_EDITED = 16,  /* has edits */
    EDGEWARD_LOGPROB = 32, /* wants the logarithm of the drawn token's raw probability */
    EDGEWARD_WEIGHS = 64,  /* draws, and neither min-p, top-k nor top-n-sigma cuts before */
    EDGEWARD_SIGMA = 128   /* has top_n_sigma */
};

/* One row of a step: its sampler's settings, made into what the kernels compute with. */
typedef struct edgeward_row {
    uint64_t seed, position;
    double min_drop;    /* temperature * ln(min_p); with EDGEWARD_MIN_P */
    double top_n_sigma; /* 0: off */
    double typical_p;   /* 1: off */
    double top_p;       /* 1: off */
    double xtc_probability, xtc_threshold;
    double mirostat_share; /* 2^-mu; with EDGEWARD_MIROSTAT */
    float scale;           /* log2(e) / temperature; 0 for greedy */
    float factors[2];      /* repetition penalty of logits <= 0 and > 0 */
    uint32_t flags;
    uint32_t top_k; /* 0: off */
    uint32_t forced_id;
    uint32_t first_edit; /* bans, biases, penalties and charges follow each other in the edits */
    uint32_t bans, biases, penalties, charges;
    uint32_t reserved;
} edgeward_row;

/* A change to one logit; what it means says the group it is in, see sampling/adjust.h. */
typedef struct edgeward_edit {
    uint32_t id;
    float value;
} edgeward_edit;

/* Why a row has no token. */
enum { EDGEWARD_DREW = 0, EDGEWARD_NAN = 1, EDGEWARD_INFINITE = 2, EDGEWARD_NONE_ALLOWED = 3 };

/* What became of a row. */
typedef struct edgeward_draw {
    uint64_t mass;     /* of all that was drawn from; for mirostat */
    uint64_t raw_mass; /* with EDGEWARD_LOGPROB: of the raw logits, in weights, and the two below */
    float raw_logit, raw_highest;
    uint32_t id;
    uint32_t status;
    uint32_t place;  /* of the damaged value */
    uint32_t weight; /* of the token drawn */
} edgeward_draw;

/* One step of a batch. All pointers are to device memory. */
typedef struct edgeward_step {
    const void* logits; /* rows of `vocabulary` elements, `stride` elements apart */
    uint64_t stride;
    uint32_t type;
    uint32_t vocabulary; /* 1 ... 2^24 */
    uint32_t rows;       /* 1 ... 65535 */
    uint32_t flags;      /* those of all rows together */
    const edgeward_row* plan;
    const edgeward_edit* edits;
    const uint32_t*
        allowed; /* or null; (vocabulary + 31) / 32 words a row, bit i % 32 of word i / 32 */
    edgeward_draw* draws;
} edgeward_step;

/* EDGEWARD_CUDA_ABI of the library. */
EDGEWARD_API int edgeward_cuda_abi(void);

/* Bytes of workspace that steps of up to `rows` rows need, at least 256 byte aligned. `copies`:
 * whether a row may have edits or a mask. 0 when an argument is out of range. */
EDGEWARD_API size_t edgeward_cuda_workspace(uint32_t rows, uint32_t vocabulary, int copies);

/* Queues one step on `stream` (a cudaStream_t) of the current device and returns. The draws are
 * there once the stream has come so far; the logits are not changed. */
EDGEWARD_API int edgeward_cuda_sample(const edgeward_step* step, void* workspace, size_t bytes,
                                      void* stream);

/* What a code means, in English; never null, never to be freed. */
EDGEWARD_API const char* edgeward_cuda_error(int code);

#ifdef __cplusplus
}
#endif
#endif
