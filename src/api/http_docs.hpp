#pragma once
// docs/http.md, from the tables that serve: the endpoints, the admin routes, the bodies, the events.
#include <string>

namespace hal0::api {

std::string render_http_docs();

}  // namespace hal0::api
