# SPDX-License-Identifier: Apache-2.0
"""Names of other libraries, for programs that were written for them."""
