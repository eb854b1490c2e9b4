#include "api/models_list.hpp"

#include <algorithm>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/writer.hpp"

namespace hal0::api {
namespace {

using dispatch::Route;
using dispatch::RouteTable;

struct Entry {
    std::string_view id{};
    Route const* route{nullptr};
};

std::vector<Entry> entries(RouteTable const& table) {
    std::vector<Entry> list;
    auto const known = [&list](std::string_view id) {
        return std::any_of(list.begin(), list.end(), [id](Entry const& e) { return e.id == id; });
    };
    for (auto const& route : table.routes())
        list.push_back({route.slot, &route});
    for (auto const& route : table.routes()) {
        if (!route.model.empty() && !known(route.model)) list.push_back({route.model, &route});
    }
    return list;
}

void write(json::Writer& out, Entry const& entry) {
    auto const& route = *entry.route;
    out.begin_object().field("id", entry.id).field("object", "model").field("created", route.created);
    out.field("owned_by", "hal0").field("context_length", route.context);
    out.key("hal0").begin_object().field("slot", route.slot).field("model", route.model);
    out.key("kind");
    route.kind ? out.value(models::to_string(*route.kind)) : out.null();
    out.field("ready", route.gate->is_open());
    out.end_object().end_object();
}

}  // namespace

std::string render_models(RouteTable const& table) {
    json::Writer out;
    out.begin_object().field("object", "list").key("data").begin_array();
    for (auto const& entry : entries(table))
        write(out, entry);
    out.end_array().end_object();
    return out.take();
}

std::optional<std::string> render_model(RouteTable const& table, std::string_view id) {
    if (id.starts_with("hal0/")) id.remove_prefix(5);
    for (auto const& entry : entries(table)) {
        if (entry.id != id) continue;
        json::Writer out;
        write(out, entry);
        return out.take();
    }
    return std::nullopt;
}

std::string render_health(RouteTable const& table) {
    auto const& routes = table.routes();
    auto const ready =
        std::count_if(routes.begin(), routes.end(), [](Route const& r) { return r.gate->is_open(); });
    return format(R"({{"status":"ok","slots":{{"ready":{},"total":{}}}}})", ready, routes.size());
}

}  // namespace hal0::api
