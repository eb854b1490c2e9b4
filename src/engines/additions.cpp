#include <algorithm>
#include <array>
#include <span>

#include "base/format.hpp"
#include "engines/lock.hpp"

namespace hal0::embedded {
extern std::string_view const compiler_cmake;
extern std::string_view const planner_cmake;
extern std::string_view const planner_main_cpp;
extern std::string_view const planner_oracle_cpp;
extern std::string_view const planner_oracle_hpp;
extern std::string_view const planner_projector_cpp;
extern std::string_view const planner_projector_hpp;
extern std::string_view const planner_request_cpp;
extern std::string_view const planner_request_hpp;
}  // namespace hal0::embedded

namespace hal0::engines {
namespace {

struct EmbeddedFile {
    std::string_view name;
    std::string_view const* text;
};
constexpr std::array compiler{EmbeddedFile{"compiler.cmake", &embedded::compiler_cmake}};
constexpr std::array planner{EmbeddedFile{"planner.cmake", &embedded::planner_cmake},
                             EmbeddedFile{"main.cpp", &embedded::planner_main_cpp},
                             EmbeddedFile{"oracle.cpp", &embedded::planner_oracle_cpp},
                             EmbeddedFile{"oracle.hpp", &embedded::planner_oracle_hpp},
                             EmbeddedFile{"projector.cpp", &embedded::planner_projector_cpp},
                             EmbeddedFile{"projector.hpp", &embedded::planner_projector_hpp},
                             EmbeddedFile{"request.cpp", &embedded::planner_request_cpp},
                             EmbeddedFile{"request.hpp", &embedded::planner_request_hpp}};

Addition addition_of(std::string_view name, std::span<EmbeddedFile const> files) {
    Addition addition{.name = std::string{name}};
    for (auto const& file : files)
        addition.files.push_back({std::string{file.name}, std::string{*file.text}});
    return addition;
}

}  // namespace

Result<Addition> known_addition(std::string_view name) {
    if (name == "compiler") return addition_of(name, compiler);
    if (name == "planner") return addition_of(name, planner);
    return Error{Errc::NotFound,
                 format("'{}' is no addition that hal0 has; it has compiler and planner", name)};
}

}  // namespace hal0::engines
