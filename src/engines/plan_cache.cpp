#include "engines/plan_cache.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace hal0::engines {
namespace {

constexpr Bytes file_max = 1_MiB;

// What one line of a file begins with; the plan follows.
std::string key_of(std::string const& settings, Tokens context) {
    return format("{} context={}\t", settings, context.count);
}

// The file's first line: another subject's, should two ever share a name, is not taken for this one's.
std::string head_of(std::string const& subject) { return format("plans 1 {}\n", subject); }

std::optional<Plan> plan_in(std::string_view text, std::string const& key) {
    auto const at = text.find("\n" + key);
    if (at == std::string_view::npos) return std::nullopt;
    auto const begin = at + 1 + key.size();
    auto plan = decode_answer(text.substr(begin, text.find('\n', begin) - begin));
    return plan ? std::optional{std::move(plan).value()} : std::nullopt;
}

}  // namespace

std::string PlanCache::path_of(std::string const& subject) const {
    return os::join_path(directory_, os::sha256_hex(subject).substr(0, 32) + ".txt");
}

std::optional<std::vector<Plan>> PlanCache::find(std::string const& subject, std::string const& settings,
                                                 std::vector<Tokens> const& contexts) const {
    auto const text = os::read_file(path_of(subject), file_max);
    if (!text || !text->starts_with(head_of(subject))) return std::nullopt;
    std::vector<Plan> plans;
    for (auto const context : contexts) {
        auto plan = plan_in(*text, key_of(settings, context));
        if (!plan) return std::nullopt;
        plans.push_back(std::move(*plan));
    }
    return plans;
}

Result<void> PlanCache::add(std::string const& subject, std::string const& settings,
                            std::vector<Tokens> const& contexts, std::vector<Plan> const& plans) const {
    auto const head = head_of(subject);
    auto text = head;
    for (std::size_t i = 0; i < std::min(contexts.size(), plans.size()); ++i)
        text += key_of(settings, contexts[i]) + encode(plans[i]) + "\n";
    auto const path = path_of(subject);
    auto const known = os::read_file(path, file_max);
    if (known && known->starts_with(head)) {
        auto room = plans_per_file_max - std::min(plans_per_file_max, plans.size());
        for (auto const line : split(std::string_view{*known}.substr(head.size()), '\n')) {
            if (line.empty() || room == 0) break;
            // One that is here by now, anew, stands before its older self and is found first.
            text.append(line).append("\n");
            --room;
        }
    } else {
        HAL0_CHECK(os::make_directories(directory_, 0700));
        drop_oldest();
    }
    return os::atomic_write(path, text);
}

// Makes room for one more.
void PlanCache::drop_oldest() const {
    auto const names = os::list_directory(directory_);
    if (!names || names->size() < files_max) return;
    std::vector<std::pair<std::int64_t, std::string>> files;
    for (auto const& name : *names) {
        auto path = os::join_path(directory_, name);
        if (auto const found = os::status(path)) files.emplace_back(found->modified_ns, std::move(path));
    }
    std::sort(files.begin(), files.end());
    for (std::size_t i = 0; i + files_max <= files.size(); ++i)
        (void)os::remove_file(files[i].second);
}

}  // namespace hal0::engines
