/* What every file of the adapter needs: the module and its name in the log.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_PRIVATE_H
#define AVH_PRIVATE_H

/* The others need it before them. */
#include <httpd.h>

#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>

#include <apr_strings.h>
#include <stdbool.h>

extern module AP_MODULE_DECLARE_DATA authverify_module;
APLOG_USE_MODULE(authverify);

/* AuthType, and the scheme in a challenge where a rule's own has no registered name. */
#define AVH_NAME "AuthVerify"

#endif
