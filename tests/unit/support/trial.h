/* What the tests of rules share: secrets in the environment, rules and requests that must compile or must not, and
 * verdicts of which what always holds is checked.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TESTS_TRIAL_H
#define AV_TESTS_TRIAL_H

#include "support/request_builder.h"
#include "support/suite.h"

/* What env:NAME gives in each test of a case that trial_case made. */
#define SECRET "a first secret of 26 bytes"
#define SECOND_SECRET "a second secret of 27 bytes"

/* A case as suite_case makes it, and in each of its tests the compiler and env:SECRET, env:SECOND. */
TCase *trial_case(Suite *suite, const char *name);

/* Of the running test: its pool is `pool`, it reads no file, and has neither presets nor warnings yet. */
extern av_compiler compiler;

/* The rule of a line that must compile. */
av_rule *rule_of(const char *line);

/* The sentence of a line that must not compile. */
const char *fault_of(const char *line);

/* Fails unless `sentence` is there and contains `part`. */
void assert_sentence(const char *sentence, const char *part);

/* Defines a preset as AuthVerifyPreset does. */
void define_preset(const char *line);

/* A policy of one rule. */
av_policy *policy_of(const char *line);

/* Adds a rule that must hold besides. */
void add_also(av_policy *policy, const char *line);

/* A request that must be well-formed text; see request_build. */
built_request request_of(const char *text);

/* Decides twice, with the body in one piece and byte by byte. Fails unless both verdicts are the same, and a client and
 * a label are named if and only if the request was accepted. Notes the reason. */
av_verdict decide(const av_policy *policy, const built_request *request);

/* The reason alone, of a policy of one rule. */
av_reason reason_of(const char *line, const char *request);

/* Fails with both names unless the reasons are the same. */
void assert_reason(av_reason found, av_reason wanted, const char *name);

/* Tells the run that a test has seen this reason: appends its name to the file $AUTHVERIFY_REASONS_SEEN, if that
 * is set. */
void note_reason(av_reason reason);

#endif
