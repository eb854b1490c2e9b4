#pragma once
// The routes under /api/: one row each, beside their handlers in admin_GROUP.cpp. A row also says all that
// docs/http.md tells about it.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "dispatch/scheduler.hpp"
#include "http/head.hpp"
#include "wire/codec.hpp"

namespace hal0::api {

class Admin;

inline constexpr Bytes admin_body_max = 1_MiB;  // of one request under /api/

struct QueryValue {
    std::string name{};
    std::string value{};
};

// One request, taken apart for its handler.
struct AdminCall {
    dispatch::Ticket ticket{};
    http::Method method{http::Method::Get};
    std::vector<std::string> params{};  // what stands for the {…} of the row's path, decoded, in order
    std::vector<QueryValue> query{};    // decoded; of the names that the row has
    std::string body{};
    std::string last_event_id{};
    bool over_unix_socket{false};

    [[nodiscard]] std::string const* value(std::string_view name) const;  // null when absent
    [[nodiscard]] Result<bool> flag(std::string_view name, bool otherwise) const;
    [[nodiscard]] Result<std::int64_t> number(std::string_view name, std::int64_t otherwise,
                                              std::int64_t max) const;
};

struct QueryDoc {
    std::string_view name{};
    std::string_view what{};
};

struct AnswerDoc {
    enum class Shape { Nothing, One, List, Text, Events } shape{Shape::Nothing};
    wire::BodyDoc (*body)(){nullptr};  // of One and List
    std::string_view status{"200"};    // "201", "202, or 200 when …"
};

struct AdminRoute {
    http::Method method{http::Method::Get};
    std::string_view path{};  // "/api/slots/{name}/load"
    std::string_view summary{};
    std::span<QueryDoc const> query{};
    wire::BodyDoc (*request)(){nullptr};  // null: it takes no body
    AnswerDoc answer{};
    void (*handle)(Admin& admin, AdminCall const& call){nullptr};
};

// The groups, in the order in which they are documented.
std::span<AdminRoute const> status_routes();
std::span<AdminRoute const> slot_routes();
std::span<AdminRoute const> model_routes();
std::span<AdminRoute const> engine_routes();
std::span<AdminRoute const> hardware_routes();
std::span<AdminRoute const> job_routes();
std::span<AdminRoute const> event_routes();
std::span<AdminRoute const> history_routes();

struct AdminGroup {
    std::string_view title{};
    std::span<AdminRoute const> routes{};
};
std::span<AdminGroup const> admin_groups();

struct AdminLookup {
    AdminRoute const* route{nullptr};   // null: no such path, or not with this method
    std::vector<std::string> params{};  // still encoded
    std::string allow{};                // the methods this path has; empty when there is no such path
};
// HEAD finds what GET finds.
AdminLookup find_admin_route(http::Method method, std::string_view path);
// NotFound, with the nearest path there is.
Error unknown_admin_path(std::string_view path);

// The call for a row, its parameters and its query decoded and checked: Invalid for malformed encoding, a
// query parameter that the row doesn't have or that is given twice, or a body where it takes none.
Result<AdminCall> take_apart(AdminRoute const& route, std::vector<std::string> const& params,
                             std::string_view query, std::string body);

}  // namespace hal0::api
