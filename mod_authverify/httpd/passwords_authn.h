/* httpd's own authentication providers (mod_authn_file and its kin), asked for passwords as mod_auth_basic asks them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_PASSWORDS_AUTHN_H
#define AVH_PASSWORDS_AUTHN_H

#include "config.h"

/* av_compiler.open_provider; the section is an avh_line or NULL. Without `names`, those of an
 * AuthBasicProvider line of the same section, or else "file". A sentence: no module has registered the name, or what it
 * registered knows no passwords; it begins with the name, for the option to be put before it.
 *
 * The providers are asked in order until one knows the user. What one says is remembered for less than a second, where
 * it depends on nothing but user, password and the settings that stand in the rule's own section. */
const char *avh_provider_open(const av_compiler *compiler, const char *names, const av_password_source **source);

#endif
