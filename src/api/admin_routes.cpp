#include "api/admin_routes.hpp"

#include <algorithm>
#include <array>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::api {
namespace {

bool is_param(std::string_view segment) { return segment.starts_with('{'); }

// Whether `path` is one of the row's, and what stands for its {…}.
bool matches(AdminRoute const& row, std::string_view path, std::vector<std::string>& params) {
    params.clear();
    auto const wanted = split(row.path, '/');
    auto const given = split(path, '/');
    if (wanted.size() != given.size()) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (!is_param(wanted[i]) && wanted[i] != given[i]) return false;
        if (is_param(wanted[i]) && given[i].empty()) return false;
        if (is_param(wanted[i])) params.emplace_back(given[i]);
    }
    return true;
}

void allow(std::vector<std::string>& methods, http::Method method) {
    methods.emplace_back(http::method_name(method));
    if (method == http::Method::Get) methods.emplace_back("HEAD");
}

// A query's names and values, decoded. Of a name given twice one would be taken and the other not.
Result<std::vector<QueryValue>> read_query(std::string_view text) {
    std::vector<QueryValue> values;
    for (auto const pair : split(text, '&')) {
        if (pair.empty()) continue;
        auto const equals = std::min(pair.find('='), pair.size());
        auto name = http::percent_decode(pair.substr(0, equals));
        auto value = http::percent_decode(pair.substr(std::min(equals + 1, pair.size())));
        if (!name || !value)
            return Error{Errc::Invalid,
                         format("'{}' in the query is not well percent-encoded", clipped(pair))};
        if (std::ranges::find(values, *name, &QueryValue::name) != values.end())
            return Error{Errc::Invalid,
                         format("'{}' is given twice in the query: say it once", clipped(*name))};
        values.push_back({std::move(*name), std::move(*value)});
    }
    return values;
}

Result<void> check_names(AdminRoute const& route, std::vector<QueryValue> const& query) {
    std::vector<std::string> known;
    for (auto const& row : route.query)
        known.emplace_back(row.name);
    for (auto const& [name, value] : query) {
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        auto const near = nearest(name, known);
        return Error{Errc::Invalid, format("{} has no query parameter '{}'{}", route.path, clipped(name),
                                           near ? format("; did you mean '{}'?", *near) : "")};
    }
    return {};
}

}  // namespace

std::string const* AdminCall::value(std::string_view name) const {
    auto const at =
        std::find_if(query.begin(), query.end(), [name](auto const& v) { return v.name == name; });
    return at == query.end() ? nullptr : &at->value;
}

Result<bool> AdminCall::flag(std::string_view name, bool otherwise) const {
    auto const* text = value(name);
    if (text == nullptr) return otherwise;
    if (*text == "true" || *text == "false") return *text == "true";
    return Error{Errc::Invalid, format("'{}' is true or false, not '{}'", name, clipped(*text))};
}

Result<std::int64_t> AdminCall::number(std::string_view name, std::int64_t otherwise,
                                       std::int64_t max) const {
    auto const* text = value(name);
    if (text == nullptr) return otherwise;
    auto const number = to_int(*text);
    if (number && *number >= 0 && *number <= max) return *number;
    return Error{Errc::Invalid, format("'{}' is a number from 0 to {}, not '{}'", name, max, clipped(*text))};
}

std::span<AdminGroup const> admin_groups() {
    static std::array const groups{
        AdminGroup{"The daemon", status_routes()}, AdminGroup{"Slots", slot_routes()},
        AdminGroup{"Models", model_routes()},      AdminGroup{"Engines", engine_routes()},
        AdminGroup{"The box", hardware_routes()},  AdminGroup{"Jobs", job_routes()},
        AdminGroup{"Events", event_routes()},      AdminGroup{"The past", history_routes()},
    };
    return groups;
}

AdminLookup find_admin_route(http::Method method, std::string_view path) {
    if (method == http::Method::Head) method = http::Method::Get;
    AdminLookup found;
    std::vector<std::string> params, methods;
    for (auto const& group : admin_groups()) {
        for (auto const& row : group.routes) {
            if (!matches(row, path, params)) continue;
            allow(methods, row.method);
            if (row.method != method || found.route != nullptr) continue;
            found.route = &row;
            found.params = params;
        }
    }
    if (!methods.empty()) methods.emplace_back("OPTIONS");
    found.allow = join(methods, ", ");
    return found;
}

Error unknown_admin_path(std::string_view path) {
    std::vector<std::string> known;
    for (auto const& group : admin_groups()) {
        for (auto const& row : group.routes) {
            if (row.method == http::Method::Get) known.emplace_back(row.path);  // nobody is led to /api/stop
        }
    }
    auto const near = nearest(path, known);
    return {Errc::NotFound,
            format("there is nothing at {}; {}", clipped(path),
                   near ? format("did you mean {}?", *near) : "docs/http.md lists what there is")};
}

Result<AdminCall> take_apart(AdminRoute const& route, std::vector<std::string> const& params,
                             std::string_view query, std::string body) {
    AdminCall call;
    for (auto const& text : params) {
        auto decoded = http::percent_decode(text);
        if (!decoded)
            return Error{Errc::Invalid,
                         format("'{}' in the path is not well percent-encoded", clipped(text))};
        call.params.push_back(std::move(*decoded));
    }
    HAL0_TRY(values, read_query(query));
    HAL0_CHECK(check_names(route, values));
    if (auto const text = trim(body); route.request == nullptr && !text.empty() && text != "{}")
        return Error{Errc::Invalid,
                     format("{} {} takes no body", http::method_name(route.method), route.path)};
    call.query = std::move(values);
    call.body = std::move(body);
    return call;
}

}  // namespace hal0::api
