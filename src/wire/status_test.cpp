#include "wire/status.hpp"

#include <gtest/gtest.h>

namespace hal0::wire {
namespace {

TEST(Status, BodiesHaveTheirShapes) {
    auto const error = Error{Errc::NotFound, "no \"x\""}.with("slot", "x");
    EXPECT_EQ(error_body(error),
              R"({"error":{"code":"not_found","message":"no \"x\"","details":{"slot":"x"}}})");
    auto const openai = Error{Errc::NotFound, "none"}.with("code", "model_not_found").with("param", "model");
    EXPECT_EQ(
        openai_error_body(openai),
        R"({"error":{"message":"none","type":"invalid_request_error","param":"model","code":"model_not_found"}})");
    EXPECT_EQ(openai_error_body({Errc::Busy, "b"}),
              R"({"error":{"message":"b","type":"unavailable_error","param":null,"code":"busy"}})");
}

TEST(Status, AWorkersWordForATooLongPromptIsUnderstood) {
    auto const error =
        decode_error(400, R"({"error":{"code":400,"message":"request exceeds the available context size",)"
                          R"("type":"exceed_context_size_error","n_prompt_tokens":600,"n_ctx":512}})");
    EXPECT_EQ(error.kind, Errc::TooLarge);
    EXPECT_EQ(error.message, "request exceeds the available context size");
}

TEST(Status, AnErrorComesBackAsItWasSent) {
    auto const error = Error{Errc::Conflict, "in use"}.with("pid", "7");
    EXPECT_EQ(decode_error(409, error_body(error)), error);
    EXPECT_EQ(decode_error(404, "<html>").kind, Errc::NotFound);
    EXPECT_EQ(decode_error(418, "{}").kind, Errc::Invalid);
}

}  // namespace
}  // namespace hal0::wire
