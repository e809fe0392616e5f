/* The whole surface of the core: five types and three calls.
 *
 * A request is looked at (av_find), its body is read (av_open says what for, av_feed takes it), and it is proven
 * (av_prove). Data goes forward only: no call asks its caller for anything, and the result is a function of the
 * arguments.
 * The core knows no server, no log, no clock and has no state of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_AUTHVERIFY_H
#define AV_AUTHVERIFY_H

#include "algorithm.h"
#include "network.h"
#include "reason.h"
#include "slice.h"

#include <apr_time.h>

typedef struct av_rule av_rule;         /* rule.h */
typedef struct av_policy av_policy;     /* policy.h */
typedef struct av_selector av_selector; /* selector.h */
struct av_client_record;                /* client.h */
struct av_token;                        /* token.h */
struct av_throttle;                     /* throttle.h */

/* One header field, as sent. Where the server has merged repeated ones, their values are joined with ", ". */
typedef struct av_header {
    av_slice name, value;
} av_header;

/* What was sent, as on the wire: nothing decoded, nothing normalised. Borrowed by everything made from it. */
typedef struct av_request {
    av_slice method;
    av_slice target;          /* path and query as in the request line */
    av_slice path, query;     /* of the target; the query is without its "?" and empty where there is none */
    av_slice origin;          /* what stands before the target in the URL that the sender called: "https://host" */
    bool host_is_ours;        /* the Host sent is one this server calls itself, or it need not be */
    const av_header *headers; /* in order */
    apr_size_t header_count;
    apr_time_t received_at; /* the only clock there is */
    av_address address;     /* of the client, as far as the server vouches for it */
    av_slice certificate;   /* SHA-256 of the one (DER) that the client has shown in TLS; empty: none, or nobody asks */
    av_slice place;         /* the path once more: decoded, without dot segments, as the server maps it */
    void *server;           /* the server's own request: for av_password_source alone, nothing else looks at it */
    const struct av_throttle *throttle; /* who counts failed proofs; NULL: nobody */
} av_request;

/* Who we know: a name, and the keys that prove it. */
typedef struct av_client {
    const char *id;
    const av_key *keys; /* any of them proves the client */
    apr_size_t key_count;
} av_client;

/* A piece of the text that was signed. */
typedef struct av_piece {
    enum { AV_PIECE_BYTES, AV_PIECE_BODY, AV_PIECE_DERIVED } kind;
    av_slice bytes;              /* BYTES: known from the head */
    const av_selector *selector; /* DERIVED: known once the body is */
} av_piece;

/* What a scheme tells of an accepted request besides who sent it: exported to the handler as AUTHVERIFY_<NAME>. */
typedef struct av_attribute {
    const char *name; /* in capitals */
    av_slice value;
} av_attribute;

/* What is good for one request alone. The core remembers nothing: whoever lets the request in must have claimed it. */
typedef struct av_once {
    unsigned char key[AV_SHA256_SIZE]; /* what it is known by */
    apr_time_t until;                  /* nobody takes it afterwards */
    av_reason reason;                  /* of the refusal where it was claimed before */
    const struct av_once *next;
} av_once;

/* What a request says under one rule: parsed, and not believed. */
typedef struct av_claim {
    const av_rule *rule;
    apr_time_t now;          /* of the request */
    void *server;            /* likewise */
    av_slice client_id;      /* who it says it is; empty where there is one sender, or the secret is all there is */
    av_slice secret_digest;  /* SHA-256 of the first proof, where the client was looked up by that; else empty */
    const av_client *client; /* who it must be, once av_open has looked; never NULL after */
    const struct av_client_record *record; /* what a list of clients or its token says of it; NULL: there is neither */
    av_client
        *asked; /* the same, where the server is asked (av_rule.provider): nobody until it has said who; else NULL */
    bool is_unknown;        /* the list has no such client: proven against a dummy, and refused */
    const av_proof *proofs; /* candidates, each decoded */
    apr_size_t proof_count;
    const av_piece *pieces; /* the signed text, in order */
    apr_size_t piece_count;
    av_slice id;          /* makes the delivery unique, and is signed */
    av_slice unsigned_id; /* for the log and the handler; never a key */
    bool is_timed;        /* the request says when it was signed, and that is known by now */
    apr_time_t signed_at;
    bool in_query;            /* the credential came in the query */
    apr_interval_time_t wait; /* AV_THROTTLED: how long until the request is looked at; of the first of the chain */
    bool is_bound;            /* it was presented as a token that is bound to a key (RFC 9449 section 7.1) */
    av_slice nonce;           /* that the sender is to use from now on; `at` is NULL where there is nothing to say */
    av_once *once;            /* set by the proof; NULL: the credential is good for any number of requests */
    void *parsed;             /* the scheme's own notes */
    const av_attribute *attributes;
    apr_size_t attribute_count;
    struct av_token *token; /* what was presented, where it says something of its own; NULL: it does not */
    struct av_claim *also;  /* the next rule that must hold besides */
} av_claim;

/* A running computation of one key over what one claim says was signed. */
typedef struct av_lane {
    const av_claim *claim;
    const av_key *key;
    EVP_MD_CTX *context;
    apr_size_t fed; /* pieces of the claim that are fed once the body is */
} av_lane;

/* A form that a body was put into for its way here, and that the handler does not know. */
typedef struct av_coding {
    const char *name;           /* as in Content-Encoding */
    const char *const *headers; /* that belong to it and go with it; NULL at the end */
} av_coding;

/* Looks at the body while it is read, or takes it out of its coding. A scheme's own. */
typedef struct av_reader {
    const av_claim *claim;
    const av_coding *coding; /* NULL: it only looks */
    /* Takes the next *len bytes. A reader with a coding puts what they carry at `out` (which may be `bytes`, or NULL
     * where nobody wants it) and sets *len to how much that is. Returns AV_ACCEPTED, or the reason of the refusal:
     * nothing more needs to be read then. */
    av_reason (*take)(struct av_reader *reader, const char *bytes, apr_size_t *len, char *out);
    struct av_reader *next;
} av_reader;

/* Lanes a body can be fed to at once. Further keys are tried from the kept body. */
#define AV_MAX_LANES 4

/* What the body is fed to while it is read. */
typedef struct av_reading {
    bool wants_body; /* false: nothing here depends on the body; leave it unread */
    bool keeps_body; /* true: set `body` before av_prove, whole and in one piece */
    av_slice lead;   /* keeps_body: bytes that must stand right before `body` in memory; empty where there are none */
    av_slice body;
    apr_size_t parse_limit; /* bytes of the body in which values are still looked for; set it before av_prove */

    av_lane lanes[AV_MAX_LANES];
    apr_size_t lane_count;
    const av_claim *lead_claim; /* whose text `lead` begins */
    EVP_MD_CTX *hash;           /* SHA-256 of the body; NULL where nothing asks for it */
    av_reader *readers;         /* the one with a coding, if there is one, comes last */
    const av_coding *coding;    /* the body is in it; NULL: the handler gets what was sent */
    bool keeps_coding;          /* the handler gets what was sent all the same */
    bool fixes_headers;         /* the proof says which headers there are: none may be added behind the body */
    av_reason refusal;          /* known before av_prove: nothing more needs to be read. AV_UNDECIDED: there is none */
    const av_claim *refused;    /* whose refusal that is */
} av_reading;

/* How it ended. A zeroed verdict refuses. */
typedef struct av_verdict {
    av_reason reason;
    const av_rule *rule;            /* that decided; NULL where none saw its credential */
    const char *client;             /* set if and only if the reason is AV_ACCEPTED; "" where the rule proves nobody */
    const char *label;              /* of the secret that matched; only ever set with the client */
    const av_attribute *attributes; /* only ever set with the client */
    apr_size_t attribute_count;
    bool in_query;                         /* the credential came in the query */
    bool is_bound;                         /* as in the claim */
    av_slice nonce;                        /* likewise */
    const av_once *once;                   /* of all rules that had to hold; only ever set with the client */
    const struct av_client_record *record; /* what a list of clients or its token says of the client; or NULL */
    struct av_token *token;                /* that was proven; NULL: there is none */
    const char *proven;       /* who was proven, and refused for a limit of its own: for the log; NULL otherwise */
    bool is_preflight;        /* not presented, and a preflight that av_is_preflight lets pass */
    av_slice id;              /* what the sender calls this delivery; believed only with AV_ACCEPTED */
    av_slice claimed;         /* who the sender says it is; not believed */
    apr_interval_time_t wait; /* AV_THROTTLED and AV_TOO_MANY_TOKENS: how long the sender must wait */
    bool is_empty;            /* the one proof that was sent is empty: a place for a credential, and none in it */
} av_verdict;

/* Looks at the head of the request: which rule sees its credential, is the credential well-formed, is it on time
 * where the head carries the time, and has its sender failed too often (request->throttle). Sees no secret.
 * Returns AV_ACCEPTED when the request may go on to av_open: nothing is proven yet. Otherwise the reason of the
 * refusal. *claim is NULL only where no rule saw a credential; its chain has one claim for the rule that decides and
 * one for each rule that must hold besides. All of it lives in `pool` and borrows from `policy` and `request`. */
av_reason av_find(const av_policy *policy, const av_request *request, av_claim **claim, apr_pool_t *pool);

/* The request is a CORS preflight (preflight.h) that may pass unproven where the configuration says so: it shows no rule
 * its credential, some alternative that needs one could decide the request that it asks about, and the limits of that
 * one and of every rule that must hold besides allow it: from= and paths=, and methods= of the method asked about. Asked
 * before av_find; what is no preflight is decided as any request. */
bool av_is_preflight(const av_policy *policy, const av_request *request, apr_pool_t *pool);

/* Opens a lane for each key that the claims may be proven with and feeds it what is signed before the body.
 * `claim` must come from an av_find that returned AV_ACCEPTED. Returns AV_ACCEPTED or the reason of the refusal, which
 * is that of reading->refused. `reading` is wiped when `pool` is cleared. */
av_reason av_open(av_claim *claim, av_reading *reading, apr_pool_t *pool);

/* Takes the next bytes of the body, in order. Errors are remembered (reading->refusal) and end in a refusal. */
void av_feed(av_reading *reading, const char *bytes, apr_size_t len);

/* The same, and leaves in the place of the bytes what the handler is to get of them. Returns how many those are: all,
 * unless reading->coding is to be undone. */
apr_size_t av_feed_in_place(av_reading *reading, char *bytes, apr_size_t len);

/* Decides. Each claim of the chain must be proven, its time and what it says inside the body must be right.
 * Call it once, when the whole body has been fed. */
av_verdict av_prove(av_claim *claim, const av_reading *reading, const av_request *request, apr_pool_t *pool);

/* The verdict of a refusal that was reached without av_prove; `claim` may be NULL. */
av_verdict av_refusal(av_reason reason, const av_claim *claim);

#endif
