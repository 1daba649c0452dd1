# SPDX-License-Identifier: Apache-2.0
# Install rules of the C++ library: headers, library, CMake package and pkg-config file, all
# relocatable. Everything is in component `cpp`; a wheel takes component `python` alone.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(laminar_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/laminar)

install(TARGETS laminar EXPORT laminarTargets COMPONENT cpp
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/cpp/laminar
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT cpp
        FILES_MATCHING PATTERN "*.hpp"
        PATTERN kernels EXCLUDE
        PATTERN metrics EXCLUDE
        # Internal: nothing that laminar.hpp includes needs them.
        REGEX "/(atomic_file|checks|checksum|compare|entries|inference|row_losses|tensor_rules)\\.hpp$" EXCLUDE
        REGEX "/layers/(column_tasks|declaration|draws|kernel_gradient|work)\\.hpp$" EXCLUDE)
# The one kernel header that public ones mention: plain structs.
install(FILES ${PROJECT_SOURCE_DIR}/cpp/laminar/kernels/table.hpp
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/laminar/kernels COMPONENT cpp)

install(EXPORT laminarTargets NAMESPACE laminar:: DESTINATION ${laminar_package_dir} COMPONENT cpp)

# What a program that links a static laminar must link as well; a shared one brings it along.
set(laminar_config_dependencies "")
set(laminar_pc_libs "")
if(NOT BUILD_SHARED_LIBS)
  string(APPEND laminar_config_dependencies "find_dependency(Threads)\n")
  string(APPEND laminar_pc_libs " -lstdc++ -lm -pthread")
  if(LAMINAR_OPENMP)
    string(APPEND laminar_config_dependencies "find_dependency(OpenMP COMPONENTS CXX)\n")
    string(APPEND laminar_pc_libs " ${OpenMP_CXX_FLAGS}")
  endif()
endif()

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cpp/cmake/laminarConfig.cmake.in
  ${PROJECT_BINARY_DIR}/laminarConfig.cmake
  INSTALL_DESTINATION ${laminar_package_dir})
# Before 1.0 a minor version may change the interface; from 1.0 on this becomes SameMajorVersion.
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/laminarConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/laminarConfig.cmake
              ${PROJECT_BINARY_DIR}/laminarConfigVersion.cmake
        DESTINATION ${laminar_package_dir} COMPONENT cpp)

# The way back from the .pc file to the prefix, so that an installed tree may be moved.
file(RELATIVE_PATH laminar_pc_prefix
     ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" laminar_pc_prefix "${laminar_pc_prefix}")
configure_file(${PROJECT_SOURCE_DIR}/cpp/cmake/laminar.pc.in ${PROJECT_BINARY_DIR}/laminar.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/laminar.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT cpp)
