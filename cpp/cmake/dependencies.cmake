# SPDX-License-Identifier: Apache-2.0
# Finds what laminar is built with. Eigen and nlohmann-json are headers that never show in laminar's
# own headers, so nobody who uses laminar needs them: they are added as include folders, not linked.
# Each comes from the system where it is installed, otherwise from the Python packages cmeel-eigen
# and nlohmann-json of the interpreter found here.

if(LAMINAR_BUILD_PYTHON)
  find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
  find_package(pybind11 3.0.4 CONFIG REQUIRED)
else()
  find_package(Python QUIET COMPONENTS Interpreter)
endif()

# Standard output of a Python command, or an empty string where it fails.
function(laminar_ask_python result)
  set(output "")
  if(Python_Interpreter_FOUND)
    execute_process(COMMAND "${Python_EXECUTABLE}" ${ARGN} OUTPUT_VARIABLE output
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  set(${result} "${output}" PARENT_SCOPE)
endfunction()

# A plain 3.4: Debian's 3.4.0 package rejects a version range.
find_package(Eigen3 3.4 CONFIG QUIET)
if(NOT Eigen3_FOUND)
  # cmeel installs under site-packages/cmeel.prefix, where CMake does not look by itself.
  laminar_ask_python(laminar_cmeel_prefix -m cmeel cmake)
  list(APPEND CMAKE_PREFIX_PATH ${laminar_cmeel_prefix})
  find_package(Eigen3 3.4 CONFIG QUIET)
endif()
if(NOT Eigen3_FOUND)
  message(FATAL_ERROR "laminar needs Eigen 3.4: install Debian's libeigen3-dev or PyPI's cmeel-eigen "
                      "(for the Python that CMake finds, here: ${Python_EXECUTABLE}).")
endif()

find_package(nlohmann_json 3.11 CONFIG QUIET)
if(nlohmann_json_FOUND)
  set(laminar_json_include_dirs
      $<TARGET_PROPERTY:nlohmann_json::nlohmann_json,INTERFACE_INCLUDE_DIRECTORIES>)
else()
  # PyPI's nlohmann-json is the bare headers, without a CMake package.
  laminar_ask_python(laminar_json_package -c
      "from importlib.util import find_spec\nprint(find_spec('nlohmann_json').submodule_search_locations[0])")
  set(laminar_json_include_dirs "${laminar_json_package}/include")
  if(NOT EXISTS "${laminar_json_include_dirs}/nlohmann/json.hpp")
    message(FATAL_ERROR "laminar needs nlohmann-json: install Debian's nlohmann-json3-dev or PyPI's "
                        "nlohmann-json (for the Python that CMake finds, here: ${Python_EXECUTABLE}).")
  endif()
endif()

# A program that adds laminar as a subdirectory links these two from its own folder, where an
# imported target of ours is visible only if it is global.
macro(laminar_find_global target)
  if(NOT TARGET ${target})
    find_package(${ARGN})
    if(NOT PROJECT_IS_TOP_LEVEL)
      set_target_properties(${target} PROPERTIES IMPORTED_GLOBAL TRUE)
    endif()
  endif()
endmacro()

set(THREADS_PREFER_PTHREAD_FLAG ON)
laminar_find_global(Threads::Threads Threads REQUIRED)
