# SPDX-License-Identifier: Apache-2.0
# Makes a static library small to download. Its objects become one, so that what many of them hold (instances of
# templates, their names, thousands of headers of sections) is there once. Names outside laminar's namespace become
# its own, which also keeps a program's instances of Eigen and of the standard library, compiled for a newer
# processor perhaps, from taking their place. Names that nobody links with stay out.
# Needs GNU ld; with another linker the objects stay apart. Set before: archive, tools (linker, objcopy, strip, ar).
list(GET tools 0 linker)
list(GET tools 1 objcopy)
list(GET tools 2 strip)
list(GET tools 3 ar)
set(object "${archive}.o")
set(script "${archive}.ld")
file(WRITE "${script}" "SECTIONS {
  .text 0 : { *(.text .text.*) }
  .rodata 0 : { *(.rodata .rodata.*) }
  .data.rel.ro 0 : { *(.data.rel.ro .data.rel.ro.*) }
  .gcc_except_table 0 : { *(.gcc_except_table .gcc_except_table.*) }
}")
execute_process(
  COMMAND "${linker}" -r --force-group-allocation -T "${script}" -o "${object}" --whole-archive "${archive}"
  RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
if(failed)
  execute_process(COMMAND "${strip}" --strip-unneeded -R .comment "${archive}" COMMAND_ERROR_IS_FATAL ANY)
else()
  execute_process(
    COMMAND "${objcopy}" --wildcard --keep-global-symbol=_ZN7laminar* --keep-global-symbol=_ZNK7laminar*
            --keep-global-symbol=_ZT?N7laminar* "${object}"
    COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${strip}" --strip-unneeded -R .comment "${object}" COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE "${archive}")
  execute_process(COMMAND "${ar}" qcs "${archive}" "${object}" COMMAND_ERROR_IS_FATAL ANY)
endif()
file(REMOVE "${object}" "${script}")
