# Adds hal0-planner to llama.cpp's own build, with no change to its source: hal0 puts this folder beside the tree and
# names this file in CMAKE_PROJECT_INCLUDE. It is read where the first project begins, before there is a target to link
# with; the rest waits for that project's end.
include_guard(GLOBAL)
cmake_language(EVAL CODE "cmake_language(DEFER CALL hal0_add_planner [[${CMAKE_CURRENT_LIST_DIR}]])")

function(hal0_add_planner folder)
  add_executable(hal0-planner ${folder}/main.cpp ${folder}/oracle.cpp ${folder}/projector.cpp ${folder}/request.cpp)
  target_include_directories(hal0-planner PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_compile_features(hal0-planner PRIVATE cxx_std_20)
  target_link_libraries(hal0-planner PRIVATE llama mtmd)
endfunction()
