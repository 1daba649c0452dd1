# SPDX-License-Identifier: Apache-2.0
# What every target of this repository is compiled with.

# Compile options in GCC's spelling. clang-cl takes -W and most -m options as they are; the others it
# leaves out with no more than a warning, unless they come behind /clang:. Its -Wall means all there are.
function(laminar_compile_options target)
  set(options ${ARGN})
  if(CMAKE_CXX_COMPILER_FRONTEND_VARIANT STREQUAL "MSVC")
    list(TRANSFORM options REPLACE "^-(f|O|mprefer)" "/clang:-\\1")
    list(TRANSFORM options REPLACE "^-W(all|extra)$" "/W4")
  endif()
  target_compile_options(${target} PRIVATE ${options})
endfunction()

# Language level, warnings, visibility, and no contraction of a * b + c: an expression rounds the
# same way whichever instruction set and compiler it is built for. (The kernels ask for contraction
# themselves; they are separate targets.)
function(laminar_target_defaults target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON)
  # Clang counts -Wsign-conversion to -Wconversion, GCC does not: the same warnings from both.
  laminar_compile_options(${target}
    -Wall -Wextra -Wconversion -Wno-sign-conversion -ffp-contract=off)
  if(LAMINAR_WERROR)
    laminar_compile_options(${target} -Werror)
  endif()
  target_compile_definitions(${target} PRIVATE LAMINAR_VERSION="${laminar_VERSION}")
  if(WIN32)  # warnings about standard C functions
    target_compile_definitions(${target} PRIVATE _CRT_SECURE_NO_WARNINGS)
  endif()
endfunction()

# Another level of optimization than the build type's: in its release builds alone, and not with sanitizers,
# where optimizing takes minutes.
function(laminar_optimize target level)
  if(NOT LAMINAR_SANITIZE AND NOT CMAKE_CXX_COMPILER_FRONTEND_VARIANT STREQUAL "MSVC")
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-${level}>)
  endif()
endfunction()

# The same for single files of a target, which are then compiled alone.
function(laminar_optimize_sources level)
  if(NOT LAMINAR_SANITIZE AND NOT CMAKE_CXX_COMPILER_FRONTEND_VARIANT STREQUAL "MSVC")
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-${level}>)
  endif()
endfunction()

# Compiles these files of a target as one where LAMINAR_FEW_UNITS says so. Names in their anonymous
# namespaces must differ.
function(laminar_compile_together target group)
  if(LAMINAR_FEW_UNITS)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
    set_source_files_properties(${ARGN} PROPERTIES UNITY_GROUP ${group})
  endif()
endfunction()

# Lets a target of this repository include Eigen and nlohmann-json, without anything of them
# reaching the targets that link it.
function(laminar_use_private_headers target)
  target_include_directories(${target} SYSTEM PRIVATE
    $<TARGET_PROPERTY:Eigen3::Eigen,INTERFACE_INCLUDE_DIRECTORIES>
    ${laminar_json_include_dirs})
  target_compile_definitions(${target} PRIVATE
    EIGEN_DONT_PARALLELIZE  # laminar's own threads, or none
    JSON_USE_IMPLICIT_CONVERSIONS=0)
endfunction()
