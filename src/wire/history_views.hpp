#pragma once
// The bodies of what is kept of the past: requests and loads. Times and sizes as in views.hpp.
#include <cstdint>
#include <optional>
#include <string>

#include "wire/codec.hpp"

namespace hal0::wire {

struct RequestView {
    static constexpr BodyTitle title{"RequestView",
                                     "A request on a slot that ended: figures, never its text."};
    std::int64_t number{0};
    std::string id{};
    std::string time{};
    std::string slot{};
    std::string model{};
    std::string path{};
    std::string outcome{};
    std::int64_t status{0};
    bool stream{false};
    double waited_s{0};
    std::optional<double> first_byte_s{};
    double total_s{0};
    std::optional<std::int64_t> prompt_tokens{};
    std::optional<std::int64_t> cached_tokens{};
    std::optional<std::int64_t> generated_tokens{};
    std::optional<double> prompt_tokens_per_s{};
    std::optional<double> generated_tokens_per_s{};
    std::int64_t in_flight{0};
    std::int64_t answer_bytes{0};
    bool operator==(RequestView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("number", self.number, "its place: `before` of the next page");
        f("id", self.id, "its `x-request-id`: the client's own, or hal0's");
        f("time", self.time, "when it came");
        f("slot", self.slot, "which slot it was for");
        f("model", self.model, "the id of the model that the slot had");
        f("path", self.path, "the route it came by");
        f("outcome", self.outcome,
          "`ok`, `client_error`, `server_error`, `client_gone`, `worker_lost`, `stalled`, `refused`");
        f("status", self.status, "of the answer; 0: the client was gone before there was one");
        f("stream", self.stream, "whether it asked for a stream of events");
        f("waited_s", self.waited_s, "seconds that it waited for its slot to come up");
        f("first_byte_s", self.first_byte_s,
          "seconds from there to the answer's first byte; null: none came");
        f("total_s", self.total_s, "seconds from there to the answer's end");
        f("prompt_tokens", self.prompt_tokens,
          "all of the prompt's; null, as the next two: the answer told none");
        f("cached_tokens", self.cached_tokens, "those of them that the worker had in its cache");
        f("generated_tokens", self.generated_tokens, "the answer's");
        f("prompt_tokens_per_s", self.prompt_tokens_per_s, "of those that were computed");
        f("generated_tokens_per_s", self.generated_tokens_per_s, "of the answer's");
        f("in_flight", self.in_flight, "requests on its slot when it came or ended, itself among them");
        f("answer_bytes", self.answer_bytes, "that it was sent");
    }
};

struct LoadView {
    static constexpr BodyTitle title{"LoadView", "A load of a slot, or a try at one."};
    std::int64_t number{0};
    std::string time{};
    std::string slot{};
    std::string model{};
    std::string provider{};
    std::string version{};
    std::string backend{};
    double seconds{0};
    std::string outcome{};
    std::string why{};
    std::optional<std::int64_t> memory{};
    bool operator==(LoadView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("number", self.number, "its place: `before` of the next page");
        f("time", self.time, "when its worker was started");
        f("slot", self.slot, "which slot");
        f("model", self.model, "the id of its model");
        f("provider", self.provider, "the engine: `llama.cpp`");
        f("version", self.version, "of the engine");
        f("backend", self.backend, "what the engine computes with: `cpu`");
        f("seconds", self.seconds, "to its worker's word that it is ready, or to its failure");
        f("outcome", self.outcome, "`ready` or `failed`");
        f("why", self.why, "it failed; empty where it didn't");
        f("memory", self.memory, "resident bytes of the worker when it was ready; null where it wasn't");
    }
};

struct SlotSlowView {
    static constexpr BodyTitle title{"SlotSlowView", "A slot that has become slower by itself."};
    std::string slot{};
    double tokens_per_s{0};
    double usual_tokens_per_s{0};
    std::string cause{};
    std::string remedy{};
    bool operator==(SlotSlowView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("slot", self.slot, "which slot");
        f("tokens_per_s", self.tokens_per_s,
          "that its last requests generated, each alone on it: the median");
        f("usual_tokens_per_s", self.usual_tokens_per_s,
          "that requests like them did before, on the same settings");
        f("cause", self.cause, "what is likely behind it");
        f("remedy", self.remedy, "what to do");
    }
};

}  // namespace hal0::wire
