#pragma once
// Small readers of a request's JSON body, shared by the answers; only the .cpp files here see a JSON type.
#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "answers.hpp"

namespace fake {

namespace json = boost::json;

Reply plain(json::value const& body);
long count_tokens(std::string_view text);
// Every string under messages, prompt or input, in order: good enough as "the prompt".
void collect_text(json::value const& value, std::string& text);
long whole(json::object const& body, char const* name, long otherwise);
bool flag(json::object const& body, char const* name);
// The endpoints that generate text, plain or streamed.
Reply generate(Setup const& setup, std::string const& path, json::object body);

}  // namespace fake
