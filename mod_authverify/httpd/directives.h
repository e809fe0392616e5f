/* The table of directives.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_DIRECTIVES_H
#define AVH_DIRECTIVES_H

#include "private.h"

extern const command_rec avh_directives[];

#endif
