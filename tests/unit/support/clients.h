/* A list of clients for the tests of a case, without a file.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TESTS_CLIENTS_H
#define AV_TESTS_CLIENTS_H

#include "support/trial.h"

/* From now on, in the running test, clients=ANYTHING is these lines of a clients file, one a client. */
void use_clients(const char *lines);

#endif
