// hal0-fetch: see README.md.
#include <curl/curl.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "fetch/archive.hpp"
#include "fetch/download.hpp"
#include "fetch/proxmox.hpp"
#include "fetch/report.hpp"

namespace hal0::fetch {
namespace {

enum ExitCode { Done = 0, Failed = 1, Usage = 2, NoAnswer = 3 };

constexpr std::string_view usage =
    "usage: hal0-fetch url URL OUT [--size BYTES] [--answer-within SECONDS]\n"
    "       hal0-fetch piece URL FIRST COUNT FILE [--answer-within SECONDS]\n"
    "       hal0-fetch extract OUT ARCHIVE MEMBER [ARCHIVE MEMBER...]\n"
    "       hal0-fetch unpack ARCHIVE PREFIX DIRECTORY\n"
    "       hal0-fetch proxmox lxc|qemu|unknown [VMID] < proxmox.json\n";

using Words = std::vector<std::string>;

std::optional<Download> parse_download(Words const& words) {
    if (words.size() < 2 || words.size() % 2 != 0) return std::nullopt;
    Download download{.url = words[0], .target = words[1]};
    for (std::size_t i = 2; i < words.size(); i += 2) {
        auto const number = to_int(words[i + 1]);
        if (!number || *number <= 0) return std::nullopt;
        if (words[i] == "--size") {
            download.size = {*number};
        } else if (words[i] == "--answer-within") {
            download.answer_within = std::chrono::seconds{*number};
        } else {
            return std::nullopt;
        }
    }
    return download;
}

std::optional<Piece> parse_piece(Words const& words) {
    bool const patient = words.size() == 6 && words[4] == "--answer-within";
    if (words.size() != 4 && !patient) return std::nullopt;
    auto const first = to_int(words[1]);
    auto const count = to_int(words[2]);
    if (!first || *first < 0 || !count || *count <= 0) return std::nullopt;
    Piece piece{.url = words[0], .first = {*first}, .count = {*count}, .target = words[3]};
    if (!patient) return piece;
    auto const seconds = to_int(words[5]);
    if (!seconds || *seconds <= 0) return std::nullopt;
    piece.answer_within = std::chrono::seconds{*seconds};
    return piece;
}

int finish(Result<void> const& result, Report& report) {
    if (result) return Done;
    report.failed(result.error());
    return Failed;
}

template <class Work> int over_http(Work const& work, Report& report) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    auto const failure = work();
    curl_global_cleanup();
    if (!failure) return Done;
    report.failed(failure->error);
    return failure->peer == Failure::Peer::Silent ? NoAnswer : Failed;
}

int extract_members(Words const& words, Report& report) {
    std::vector<Member> members;
    for (std::size_t i = 1; i + 1 < words.size(); i += 2)
        members.push_back({.archive = words[i], .name = words[i + 1]});
    return finish(extract(members, words[0], report), report);
}

std::optional<proxmox::Guest> parse_guest(Words const& words) {
    if (words.empty() || words.size() > 2) return std::nullopt;
    auto const kind = proxmox::guest_kind(words[0]);
    if (!kind) return std::nullopt;
    proxmox::Guest guest{.kind = *kind};
    if (words.size() == 2) guest.vmid = to_int(words[1]);
    return words.size() == 1 || guest.vmid ? std::optional{guest} : std::nullopt;
}

int ask_of(proxmox::Guest const& guest, Report& report) {
    auto const said = ask_proxmox(guest);
    if (said) std::puts(said->c_str());
    return finish(said ? Result<void>{} : said.error(), report);
}

int main_of(std::string_view command, Words const& words) {
    Report report;
    if (command == "url") {
        if (auto const what = parse_download(words))
            return over_http([&] { return run(*what, report); }, report);
    }
    if (command == "piece") {
        if (auto const what = parse_piece(words)) return over_http([&] { return run(*what); }, report);
    }
    if (command == "extract" && words.size() >= 3 && words.size() % 2 == 1)
        return extract_members(words, report);
    if (command == "unpack" && words.size() == 3) {
        return finish(unpack(words[0], words[1], words[2], report), report);
    }
    if (command == "proxmox") {
        if (auto const guest = parse_guest(words)) return ask_of(*guest, report);
    }
    bool const help = command == "--help" || command == "-h";
    std::fputs(std::string{usage}.c_str(), help ? stdout : stderr);
    return help ? Done : Usage;
}

}  // namespace
}  // namespace hal0::fetch

// NOLINTNEXTLINE(bugprone-exception-escape): only for want of memory, and then it ends
int main(int argc, char** argv) {
    std::setlocale(LC_CTYPE, "C.UTF-8");  // libarchive gives names only in a locale that can spell them
    std::vector<std::string> const words(argv + std::min(argc, 2), argv + argc);
    return hal0::fetch::main_of(argc > 1 ? argv[1] : "", words);
}
