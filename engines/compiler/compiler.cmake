# What llama.cpp is compiled without, whatever this CPU has: read with its project, see planner.cmake.
# AMX: ggml writes the configuration of its tiles on the stack; GCC 12 takes those stores for dead (its
# _tile_loadconfig names but 8 bytes of them), and the first product ends in a general protection fault. Other
# compilers do so too, and some virtual machines offer AMX and don't have it (llama.cpp PR 26954, issue 20824).
include_guard(GLOBAL)
include(CheckCXXCompilerFlag)
check_cxx_compiler_flag(-mno-amx-tile HAL0_COMPILER_KNOWS_AMX)
if(HAL0_COMPILER_KNOWS_AMX)
  add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX>:-mno-amx-tile;-mno-amx-int8;-mno-amx-bf16>")
endif()
