# hal0_embed(TARGET FILE SYMBOL): the text of FILE (relative to the source tree's root) becomes part of TARGET as
#   namespace hal0::embedded { extern std::string_view const SYMBOL; }
# which its user declares. A change of FILE is seen by the next build.
function(hal0_embed target file symbol)
  set(source ${CMAKE_SOURCE_DIR}/${file})
  set(generated ${CMAKE_BINARY_DIR}/embedded/${symbol}.cpp)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  string(FIND "${text}" ")hal0_embed\"" clash)
  if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${file} holds the mark that ends an embedded text")
  endif()
  set(content "// Made from ${file} by cmake/hal0_embed.cmake.
#include <string_view>

namespace hal0::embedded {
extern std::string_view const ${symbol};  // NOLINT(readability-redundant-declaration): by its user, in the same unit
std::string_view const ${symbol}{R\"hal0_embed(${text})hal0_embed\"};
}  // namespace hal0::embedded
")
  # Written only when it differs, so that an unchanged text compiles nothing anew.
  set(present "")
  if(EXISTS ${generated})
    file(READ ${generated} present)
  endif()
  if(NOT content STREQUAL present)
    file(WRITE ${generated} "${content}")
  endif()
  target_sources(${target} PRIVATE ${generated})
endfunction()
