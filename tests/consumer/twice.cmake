# SPDX-License-Identifier: Apache-2.0
# Asks for the static library, and then, in the same folder, for the shared one.
find_package(laminar 0.1 REQUIRED COMPONENTS static)
find_package(laminar 0.1 REQUIRED COMPONENTS shared)
