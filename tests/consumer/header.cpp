// SPDX-License-Identifier: Apache-2.0
// Compiled once for each installed header, which the command line includes: it must stand alone, and
// bring along nothing that is laminar's own affair.
#if defined(EIGEN_WORLD_VERSION) || defined(NLOHMANN_JSON_VERSION_MAJOR)
#error "a public header includes a private dependency"
#endif
