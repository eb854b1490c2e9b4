# One room = one static library hal0_<room> + one test binary hal0_<room>_test.
#   hal0_room(NAME NEEDS <lower rooms…> USES <libraries…>)
# NEEDS is the only place a dependency arrow is drawn; USES names libraries from outside, which stay private to
# the room's .cpp files (base alone hands fmt on).
set(HAL0_SANITIZE "" CACHE STRING "comma-separated -fsanitize list")
option(HAL0_WERROR "warnings are errors" OFF)

find_package(fmt REQUIRED)
find_package(Threads REQUIRED)

add_library(hal0_flags INTERFACE)
target_compile_features(hal0_flags INTERFACE cxx_std_20)
target_compile_options(hal0_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast -Wcast-qual -Wswitch-enum
  # Optimized, g++ 12 sees null where a variant holds another alternative.
  $<$<CONFIG:Debug>:-Wnull-dereference>
  # Where a room is one unit, the names of one file's own lie around those of the next.
  $<$<NOT:$<BOOL:${CMAKE_UNITY_BUILD}>>:-Wshadow>
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
  $<$<BOOL:${HAL0_WERROR}>:-Werror>)
target_link_libraries(hal0_flags INTERFACE Threads::Threads)
if(HAL0_SANITIZE)
  target_compile_options(hal0_flags INTERFACE -fsanitize=${HAL0_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(hal0_flags INTERFACE -fsanitize=${HAL0_SANITIZE})
endif()

function(hal0_room name)
  cmake_parse_arguments(ARG "" "" "NEEDS;USES" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB tests CONFIGURE_DEPENDS ${dir}/*_test.cpp)
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/main\\.cpp$")
  add_library(hal0_${name} STATIC ${sources})
  target_include_directories(hal0_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM ARG_NEEDS PREPEND hal0_)
  target_link_libraries(hal0_${name} PUBLIC ${ARG_NEEDS} PRIVATE hal0_flags)
  if(name STREQUAL "base")
    target_link_libraries(hal0_base PUBLIC ${ARG_USES})
  else()
    target_link_libraries(hal0_${name} PRIVATE ${ARG_USES})
  endif()
  if(tests AND BUILD_TESTING)
    add_executable(hal0_${name}_test ${tests})
    target_link_libraries(hal0_${name}_test PRIVATE hal0_${name} hal0_flags GTest::gtest_main)
    # One ctest test for each TEST(): counted, timed and run side by side one by one, none can hide another.
    # They run in the root of the repository, where tests/cases is.
    gtest_discover_tests(hal0_${name}_test TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
      WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endif()
endfunction()
