# SPDX-License-Identifier: Apache-2.0
# Install rules of the C++ package: headers, libraries, CMake package and pkg-config file, all
# relocatable, in component `cpp`. One prefix may hold both libraries, put there together or one after
# the other: each has a targets file of its own, and laminarConfig.cmake looks which are there.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
if(SKBUILD)  # the prefix is the Python package's folder, where Debian's and Red Hat's names mean nothing
  set(CMAKE_INSTALL_LIBDIR lib)
  set(CMAKE_INSTALL_FULL_LIBDIR ${CMAKE_INSTALL_PREFIX}/lib)
endif()

set(laminar_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/laminar)

# The headers of the first line are for programs to include: laminar.hpp has them all but eigen.hpp. The others
# are what these mention. Nothing else is installed, and tests/consumer/run.sh compares this list with
# what laminar.hpp reaches.
set(laminar_headers
  laminar model model_file lbfgs fit_many own_parts eigen build_info
  base/buffer base/error base/family base/mean_weight base/product_precision base/quantization base/random base/rows_view base/stop
  base/types threads/parallel kernels/table kernels/elementwise_list
  operations/function operations/program operations/run operations/symbol
  catalogue/activation catalogue/choice catalogue/constraint catalogue/initializer catalogue/loss catalogue/metric
  catalogue/optimizer catalogue/own_function catalogue/own_rule catalogue/parameters catalogue/regularizer catalogue/schedule
  graph/head graph/layer graph/network data/row_source training/fit_options training/perceptron
  files/byte_source files/cell_form files/cells files/config files/safetensors files/table)
foreach(header IN LISTS laminar_headers)
  cmake_path(GET header PARENT_PATH floor)
  install(FILES ${PROJECT_SOURCE_DIR}/cpp/laminar/${header}.hpp
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/laminar/${floor} COMPONENT cpp)
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/cpp/laminar/graph/layers
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/laminar/graph COMPONENT cpp
        FILES_MATCHING PATTERN "*.hpp" PATTERN declaration.hpp EXCLUDE)

# The link by which linkers find a shared library, which in a wheel would be a copy: CMake needs none, and
# pkg-config names the file.
set(laminar_link "")
set(laminar_pc_library -llaminar)
if(laminar_pip_build AND "shared" IN_LIST laminar_kinds)
  set(laminar_link NAMELINK_SKIP)
  set(laminar_pc_library -l:liblaminar.so.${laminar_binary_version})
endif()
foreach(kind IN LISTS laminar_kinds)
  install(TARGETS ${laminar_target_${kind}} EXPORT laminar_${kind} COMPONENT cpp
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ${laminar_link} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
          RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
          INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT laminar_${kind} NAMESPACE laminar:: FILE laminar-${kind}.cmake
          DESTINATION ${laminar_package_dir} COMPONENT cpp)
endforeach()

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cpp/cmake/laminarConfig.cmake.in
  ${PROJECT_BINARY_DIR}/laminarConfig.cmake
  INSTALL_DESTINATION ${laminar_package_dir}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a minor version may change the interface; from 1.0 on this becomes SameMajorVersion.
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/laminarConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/laminarConfig.cmake
              ${PROJECT_BINARY_DIR}/laminarConfigVersion.cmake
        DESTINATION ${laminar_package_dir} COMPONENT cpp)

# What a static laminar must be linked with. Where there is a shared one as well, the linker takes that
# unless it is told --static, and pkg-config lists these under --static alone.
set(laminar_pc_needs "-lstdc++ -lm -pthread")
set(laminar_pc_libs "")
set(laminar_pc_libs_private "")
if("shared" IN_LIST laminar_kinds)
  set(laminar_pc_libs_private " ${laminar_pc_needs}")
else()
  set(laminar_pc_libs " ${laminar_pc_needs}")
endif()
# The way back from the .pc file to the prefix, so that an installed tree may be moved.
file(RELATIVE_PATH laminar_pc_prefix
     ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" laminar_pc_prefix "${laminar_pc_prefix}")
configure_file(${PROJECT_SOURCE_DIR}/cpp/cmake/laminar.pc.in ${PROJECT_BINARY_DIR}/laminar.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/laminar.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT cpp)
